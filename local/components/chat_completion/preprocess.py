"""Step chat_completion_datapreprocess: from conversations to token ids and labels, through the model's own template."""

from __future__ import annotations

from pathlib import Path

from .arguments import parse
from .dataset_files import write_examples, write_info
from .encode import Example, encode
from .errors import StepError, run_step
from .gguf_file import GgufFile
from .model_import import WEIGHTS
from .rows import Row, Splits, check_enough, read_rows, split
from .validate import DATA
from .vocabulary import Vocabulary

OPTIONAL = ("batch_size", "pad_to_max_length", "max_seq_length", *DATA, "trust_remote_code")


def main() -> None:
    """Write train, validation and test sets, and how many tokens they hold."""
    given = parse("preprocess", ("model_selector_output", "output_dir"), OPTIONAL)
    if not given.train_file_path:
        raise StepError("train_file_path is missing: give a .jsonl file of training conversations")
    model = GgufFile(Path(given.model_selector_output, WEIGHTS))
    splits = _splits(given.train_file_path, given.validation_file_path, given.test_file_path)
    check_enough(splits.train)
    longest = _longest(given.max_seq_length, model)
    output = Path(given.output_dir)
    output.mkdir(parents=True, exist_ok=True)
    vocabulary, info = Vocabulary(model), dict[str, object]()
    for name in ("train", "validation", "test"):
        examples = _encoded(vocabulary, getattr(splits, name), longest)
        info |= _counted(name, examples)
        write_examples(output, name, examples)
    write_info(output, info)
    print(", ".join(f"{key} {value}" for key, value in info.items()))
    if not info["train_assistant_tokens"]:
        raise StepError(
            "Unable to continue finetuning. No assistant tokens found after preprocessing the training data."
        )


def _splits(train: str, validation: str | None, test: str | None) -> Splits:
    other = [read_rows(Path(path)) if path else None for path in (validation, test)]
    return split(read_rows(Path(train)), *other)


def _longest(text: str | None, model: GgufFile) -> int:
    context = int(model.get("llama.context_length", 2048))
    wanted = int(float(text)) if text else -1
    return context if wanted < 1 else min(wanted, context)


def _encoded(vocabulary: Vocabulary, rows: list[Row], longest: int) -> list[Example]:
    examples = []
    for number, row in enumerate(rows, 1):
        try:
            examples.append(encode(vocabulary, row.messages, row.tools).cut(longest))
        except (StepError, TypeError, KeyError, ValueError) as error:
            raise StepError(f"Failure while applying chat template to dataset: row {number}: {error}") from error
        except Exception as error:
            if type(error).__module__.startswith("jinja2"):
                raise StepError(
                    f"Failure while applying chat template to dataset: row {number}: {error}. Each message needs "
                    "`role` and a `content` of text."
                ) from error
            raise
    return examples


def _counted(name: str, examples: list[Example]) -> dict[str, object]:
    return {
        f"{name}_rows": len(examples),
        f"{name}_tokens": sum(len(example.ids) for example in examples),
        f"{name}_assistant_tokens": sum(sum(example.labelled) for example in examples),
    }


if __name__ == "__main__":
    run_step(main)
