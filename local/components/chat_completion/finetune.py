"""Step chat_completion_finetune: teach the model the conversations, and write what it learnt."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import torch

from .arguments import parse
from .convert import BASE, INFO
from .dataset_files import read_examples
from .device import choose
from .errors import StepError, run_step
from .gguf_file import GgufFile
from .learners import learner_for
from .llama import Llama, load_weights, shape_of
from .mlflow_folder import hand_on
from .model_import import INFO as SELECTED
from .model_import import WEIGHTS
from .settings import WITHOUT_EFFECT, Settings, settings_from, without_effect
from .tracking import Tracker
from .training import Outcome, Trainer

OTHER = ("deepspeed", "deepspeed_stage")


def main() -> None:
    """Load, train, save."""
    names = dict.fromkeys((*(field.name for field in fields(Settings)), *WITHOUT_EFFECT, *OTHER))
    given = parse("finetune", ("model_selector_output", "preprocess_output", "pytorch_model_folder"), tuple(names))
    settings = settings_from(given)
    if ignored := without_effect(given):
        print(f"without effect on one small machine: {', '.join(ignored)}")
    model = GgufFile(Path(given.model_selector_output, WEIGHTS))
    target = Path(given.pytorch_model_folder)
    target.mkdir(parents=True, exist_ok=True)
    base = _base_name(Path(given.model_selector_output))
    outcome = _train(model, Path(given.preprocess_output), settings, target, base)
    hand_on(model.path, target / BASE)
    info = {"base_model_name": base, "train_loss": outcome.train_loss, "eval_loss": outcome.eval_loss}
    (target / INFO).write_text(json.dumps({**info, "steps": outcome.steps, "settings": asdict(settings)}), "utf-8")


def _train(model: GgufFile, data: Path, settings: Settings, target: Path, base: str) -> Outcome:
    device, kind = choose(settings)
    train, validation = read_examples(data, "train"), read_examples(data, "validation")
    print(f"{len(train)} rows to learn, {len(validation)} to check; {device.type}, {kind}", flush=True)
    llama = Llama(shape_of(model), load_weights(model, device, kind))
    learner = learner_for(llama, settings)
    tracker = Tracker()
    try:
        outcome = Trainer(llama, learner, settings, device, tracker.log).train(train, validation)
    except torch.OutOfMemoryError as error:
        raise StepError("out of memory: lower per_device_train_batch_size or max_seq_length") from error
    finally:
        tracker.close()
    learner.save(target, base)
    return outcome


def _base_name(folder: Path) -> str:
    return str(json.loads((folder / SELECTED).read_text(encoding="utf-8"))["base_model_name"])


if __name__ == "__main__":
    run_step(main)
