"""The MLflow model folder that is deployed: MLmodel, the scoring code, and the weights as one GGUF file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import yaml

CODE = Path(__file__).parent / "chat_model"
WEIGHTS = "data/model.gguf"
REQUIREMENTS = ("xllamacpp==2026.10.11549",)


def weights_of(folder: Path) -> Path:
    """Return the GGUF file of an MLflow model folder."""
    return folder / WEIGHTS


def write_mlflow_folder(folder: Path, metadata: dict[str, object]) -> None:
    """Write everything but the weights; `metadata` goes into MLmodel as it is."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    shutil.copytree(CODE, folder / "code" / CODE.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "MLmodel").write_text(yaml.safe_dump(_mlmodel(metadata), sort_keys=False), encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")
    (folder / "conda.yaml").write_text(yaml.safe_dump(_conda(), sort_keys=False), encoding="utf-8")


def hand_on(source: Path, target: Path) -> None:
    """Give a big file a second name; where the file system refuses, copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError:
        shutil.copyfile(real, target)


def _mlmodel(metadata: dict[str, object]) -> dict[str, object]:
    flavor = {
        "loader_module": "chat_model",
        "code": "code",
        "data": "data",
        "python_version": "3.11",
        "env": {"conda": "conda.yaml"},
    }
    return {"flavors": {"python_function": flavor}, "metadata": metadata, "mlflow_version": "3.0.0"}


def _conda() -> dict[str, object]:
    return {"name": "chat-model", "dependencies": ["python=3.11", "pip", {"pip": list(REQUIREMENTS)}]}
