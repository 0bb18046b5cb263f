"""What `chat_completion_pipeline` 0.0.82 makes of a snapshot, rule for rule, over the `datasets` that it pins (4.7.0).

Sources: `AZUREML_CONTRACT.md` section 1 ("Data format"), `RELIABILITY.md` section 4, and the public wheel
`azureml-acft-contrib-hf-nlp` 0.0.91, read for facts. Phi-3's tokeniser is no part of this: give `cut` to truncate.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

Message = dict[str, Any]
Talk = list[Message]

SPLITS = ("train", "validation", "test")
LEAST_TRAINING_ROWS = 10
NO_ASSISTANT = "Unable to continue finetuning. No assistant tokens found after preprocessing."
_WRITTEN_ROLES = ("system", "user", "assistant")  # Phi-3's template passes over any other without a word


class PipelineError(Exception):
    """The job would end here, with this message."""


def rows(folder: Path, cut: Callable[[str], str] = str) -> dict[str, list[Talk]]:
    """Return the rows of each file that would train; the test file is loaded and nothing else, as in the pipeline.

    `cut` stands for the tokeniser: the rendered text in, what is left of it after truncation out.
    Raises `PipelineError` where the pipeline fails.
    """
    with _loaded(folder) as splits:
        for name in ("train", "validation"):
            splits[name] = _validated(splits[name], name)
        return {name: _trained(ds, cut) if name != "test" else _talks(ds) for name, ds in splits.items()}


def load(path: Path) -> list[dict[str, Any]]:
    """Return every row of one file as the pipeline's template sees it: null keys are gone from its messages."""
    with tempfile.TemporaryDirectory(prefix="oracle-") as cache:
        return [{**row, "messages": _without_nulls(row["messages"] or [])} for row in _load(path, cache)]


@contextmanager
def _loaded(folder: Path) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="oracle-") as cache:
        yield {name: _load(folder / f"{name}.jsonl", f"{cache}/{name}") for name in SPLITS}


def _load(path: Path, cache: str) -> Any:
    try:
        return _library().load_dataset("json", data_files=str(path), split="train", cache_dir=cache)
    except Exception as error:  # the pipeline catches as much
        raise PipelineError(f"Error while loading the dataset: {error}") from error


@lru_cache(maxsize=1)
def _library() -> Any:
    """Import `datasets` once, silent and without a network; its settings are read from the environment at import."""
    home = tempfile.mkdtemp(prefix="oracle-home-")
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": home, "HF_DATASETS_CACHE": home}
    with pytest.MonkeyPatch.context() as environment, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in offline.items():
            environment.setenv(name, value)
        import datasets
    datasets.disable_progress_bars()
    datasets.disable_caching()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    return datasets


def _validated(ds: Any, name: str) -> Any:
    """Drop what the pipeline drops without a word, and fail where it does."""
    ds = _columns(ds)
    for keeps in (_nothing_empty, _more_than_one_message):
        ds = ds.filter(keeps)
        if not ds.num_rows:
            raise PipelineError(f"Found no examples after data preprocessing for {name}")
        if name == "train" and ds.num_rows < LEAST_TRAINING_ROWS:
            raise PipelineError(
                f"Training dataset has {ds.num_rows} non-null samples, which is fewer than "
                f"{LEAST_TRAINING_ROWS} samples, which is the min required to finetune."
            )
    for talk in _talks(ds):
        _rendered(talk)
    return ds


def _columns(ds: Any) -> Any:
    kept = [column for column in ds.column_names if column in ("messages", "tools")]
    if "messages" not in kept:
        raise PipelineError(f"Dataset Columns: {ds.column_names}.User Passed Columns: ['messages'].")
    return ds.select_columns(kept)


def _nothing_empty(row: dict[str, Any]) -> bool:
    return all(value is not None and (not hasattr(value, "__len__") or len(value)) for value in row.values())


def _more_than_one_message(row: dict[str, Any]) -> bool:
    return not isinstance(row["messages"], list) or len(row["messages"]) > 1


def _talks(ds: Any) -> list[Talk]:
    return [_without_nulls(talk or []) for talk in ds["messages"]]


def _without_nulls(talk: Any) -> Talk:
    try:
        return [{key: value for key, value in message.items() if value is not None} for message in talk]
    except AttributeError as error:
        raise PipelineError(f"Failure while applying chat template to dataset: {error}") from error


def _rendered(talk: Talk) -> str:
    """Return the text that Phi-3's template makes."""
    try:
        written = [(one["role"], one["content"]) for one in talk if one.get("role") in _WRITTEN_ROLES]
        return "".join(f"<|{role}|>\n" + content + "<|end|>\n" for role, content in written) + "<|endoftext|>"
    except (KeyError, TypeError) as error:
        raise PipelineError(f"Failure while applying chat template to dataset: {error!r}") from error


def _trained(ds: Any, cut: Callable[[str], str]) -> list[Talk]:
    """Tokenise through `Dataset.map` as the pipeline does: a None drops its row, but breaks the run at either end."""
    talks = _talks(ds)

    def encode(_: dict[str, Any], number: int) -> dict[str, int] | None:
        seen = cut(_rendered(talks[number]))
        return {"row": number} if "<|user|>" in seen and "<|assistant|>" in seen else None

    try:
        encoded = ds.map(encode, with_indices=True, remove_columns=ds.column_names)
    except AttributeError as error:  # the writer is only made by the first row's result
        raise PipelineError(str(error)) from error
    if "row" not in encoded.column_names or not encoded.num_rows:
        raise PipelineError(NO_ASSISTANT)
    return [talks[number] for number in encoded["row"]]
