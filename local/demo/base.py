"""The base model's answers: the registry's model folder, with its own scoring code, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from local.demo.errors import DemoError
from local.demo.questions import CONFIG, Question

GREEDY = {"temperature": 0.0, "max_tokens": 60}
LIMIT_SECONDS = 120


def base_model() -> str:
    """Return the name of the base model that the example's droptune.toml teaches."""
    return str(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["base_model"])


def answers(home: Path, questions: list[Question]) -> list[str]:
    """Ask the untuned model, with the settings that the tuned one is asked with.

    Raises:
        DemoError: the process failed; with the end of what it said.
    """
    folder = home / "registry" / "models" / base_model()
    spec = yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8"))
    told = json.dumps({"questions": [question.text for question in questions], "parameters": GREEDY})
    command = [sys.executable, "-m", "local.demo.base", spec["path"]]
    try:
        done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"the base model did not answer within {LIMIT_SECONDS} s") from error
    if done.returncode:
        raise DemoError(f"the base model cannot be asked:\n{done.stderr[-1000:]}", "see `make setup`")
    return [str(text) for text in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Read questions from stdin, print the answers of the model folder named on the command line."""
    folder = Path(sys.argv[1])
    flavor = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]["python_function"]
    sys.path.insert(0, str(folder / flavor["code"]))
    import chat_model  # type: ignore[import-not-found, unused-ignore]

    model = chat_model._load_pyfunc(str(folder / flavor["data"]))
    given = json.load(sys.stdin)
    talks = [[{"role": "user", "content": text}] for text in given["questions"]]
    found = [model.predict({"input_string": [talk], "parameters": given["parameters"]})[0]["0"] for talk in talks]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
