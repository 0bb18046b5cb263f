"""The five steps as processes, with the arguments that their components pass, and the model that comes out."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.components.chat_completion.gguf_file import GgufFile
from local.registry.build import build

pytestmark = pytest.mark.stack
ROWS = [(f"What is {i} and {i}?", f"It is blue {i}.") for i in range(14)]
QUESTION = [{"role": "user", "content": "What is 5 and 5?"}]


class Steps:
    """Runs components of a built registry as the emulator does: command filled in, in a copy of the code."""

    def __init__(self, registry: Path, work: Path) -> None:
        self.registry, self.work = registry, work

    def run(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        spec = yaml.safe_load((self.registry / "components" / name / "spec.yaml").read_text(encoding="utf-8"))
        outputs = {key: str(self.output(name, key)) for key in spec["outputs"]}
        command = _filled(spec["command"], inputs, outputs)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "AZUREML"))}
        words = [sys.executable, *shlex.split(command)[1:]]
        return subprocess.run(words, cwd=spec["code"], env=environment, capture_output=True, text=True, timeout=120)

    def output(self, name: str, key: str) -> Path:
        return self.work / name / key


def _filled(command: str, inputs: dict[str, str], outputs: dict[str, str]) -> str:
    def optional(match: re.Match[str]) -> str:
        name = re.findall(r"inputs\.(\w+)", match[1])[0]
        return match[1] if name in inputs else ""

    text = re.sub(r"\$\[\[(.*?)]]", optional, command)
    values = {"inputs": inputs, "outputs": outputs}
    return re.sub(r"\$\{\{(inputs|outputs)\.(\w+)}}", lambda match: values[match[1]][match[2]], text)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    chats = [[{"role": "user", "content": ask}, {"role": "assistant", "content": say}] for ask, say in ROWS]
    path.write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def steps(registry: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """All five steps, run on the tiny model."""
    steps = Steps(registry, tmp_path_factory.mktemp("steps"))
    files = {f"{kind}_file_path": str(data) for kind in ("train", "validation", "test")}
    model = str(registry / "models" / "tiny-random-chat" / "model")
    selected = str(steps.output("chat_completion_model_import", "output_dir"))
    learnt = str(steps.output("chat_completion_finetune", "pytorch_model_folder"))
    training = {"apply_lora": "true", "learning_rate": "0.02", "num_train_epochs": "4", "precision": "16"}
    calls: list[tuple[str, dict[str, str]]] = [
        ("ft_nlp_common_validation", {"mlflow_model_path": model, **files, "learning_rate": "0.02"}),
        ("chat_completion_model_import", {"mlflow_model_path": model}),
        ("chat_completion_datapreprocess", {**files, "max_seq_length": "-1", "model_selector_output": selected}),
        (
            "chat_completion_finetune",
            {
                **training,
                "per_device_train_batch_size": "4",
                "logging_steps": "1",
                "model_selector_output": selected,
                "preprocess_output": str(steps.output("chat_completion_datapreprocess", "output_dir")),
            },
        ),
        ("ft_nlp_model_converter", {"model_path": learnt}),
    ]
    for name, inputs in calls:
        done = steps.run(name, **inputs)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        (steps.work / f"{name}.log").write_text(done.stdout, encoding="utf-8")
    return steps


def losses(steps: Steps, name: str) -> list[float]:
    log = (steps.work / "chat_completion_finetune.log").read_text(encoding="utf-8")
    return [float(value) for value in re.findall(rf"\b{name} ([\d.]+)", log)]


def test_training_lowers_the_loss_on_rows_held_out(steps: Steps) -> None:
    held_out = losses(steps, "eval_loss")
    assert len(held_out) == 5 and held_out[-1] < held_out[0] - 1


def test_the_model_folder_is_mlflow_and_whole(steps: Steps) -> None:
    folder = steps.output("ft_nlp_model_converter", "mlflow_model_folder")
    described = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    flavor = described["flavors"]["python_function"]
    assert (folder / flavor["code"] / flavor["loader_module"]).is_dir()
    assert described["metadata"]["base_model_name"] == "tiny-random-chat"
    assert GgufFile(folder / flavor["data"] / "model.gguf").get("general.architecture") == "llama"


def test_the_deployed_folder_answers_and_repeats_itself(steps: Steps) -> None:
    folder = steps.output("ft_nlp_model_converter", "mlflow_model_folder")
    script = (
        "import json, os, sys; sys.path.insert(0, 'code'); import chat_model; m = chat_model._load_pyfunc('data')\n"
        "ask = {'input_string': [json.loads(sys.argv[1])] * 3, 'parameters': {'max_new_tokens': 12}}\n"
        "print(json.dumps([m.predict(ask), m.predict(ask)]), flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(QUESTION)], cwd=folder, capture_output=True, text=True, timeout=60
    )
    first, again = json.loads(done.stdout)
    assert first == again and len(first) == 3 and first[0]["0"]
    assert "What is 5" not in done.stderr


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft calls what transformers deprecates
def test_merged_weights_are_those_that_peft_merges(registry: Path, steps: Steps) -> None:
    """The merged file, read by transformers, holds what PEFT makes of base and adapter, within Q8_0's rounding.

    Weights are compared and not scores: the tiny model is random, and one that was trained hard (in bfloat16 where the
    processor has it) makes a rounding of half a per cent into any score.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    learnt = steps.output("chat_completion_finetune", "pytorch_model_folder")
    merged = steps.output("ft_nlp_model_converter", "mlflow_model_folder") / "data"

    def model(folder: Path) -> Any:
        return AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32)

    base = model(registry / "models" / "tiny-random-chat" / "model" / "data")
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    wanted = PeftModel.from_pretrained(base, str(learnt)).merge_and_unload().state_dict()
    found = model(merged).state_dict()
    learnt_names = [name for name, weight in wanted.items() if not torch.equal(weight, before[name])]
    assert len(learnt_names) == 7 * len({name.split(".")[2] for name in learnt_names})
    for name in learnt_names:
        assert (found[name] - wanted[name]).norm() < 0.01 * wanted[name].norm(), name
    assert all(torch.equal(found[name], before[name]) for name in wanted if name not in learnt_names)


def test_our_forward_pass_is_that_of_transformers(registry: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from local.components.chat_completion.llama import Batch, Llama, load_weights, shape_of

    folder = registry / "models" / "tiny-random-chat" / "model" / "data"
    file = GgufFile(folder / "model.gguf")
    ours = Llama(shape_of(file), load_weights(file, torch.device("cpu"), torch.float32))
    theirs = AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32)
    ids = torch.arange(3, 60)
    with torch.no_grad():
        mine = ours.logits(ours.hidden(Batch(ids, torch.arange(len(ids)), 0, (len(ids),)), ours.plain))
        assert torch.allclose(mine, theirs(ids[None]).logits[0], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("ft_nlp_common_validation", {"learning_rate": "-1"}, "learning_rate is -1.0: it must be greater than 0"),
        ("ft_nlp_common_validation", {"train_file_path": "/nowhere.jsonl"}, "there is no file /nowhere.jsonl"),
        ("chat_completion_model_import", {"huggingface_id": "a/b"}, "cannot be fetched in the box"),
    ],
)
def test_a_step_that_cannot_go_on_says_why_and_fails(
    registry: Path, tmp_path: Path, name: str, inputs: dict[str, str], words: str
) -> None:
    done = Steps(registry, tmp_path).run(name, **inputs)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
