"""The trainer's parts: labels, packing, schedules, settings, plan, rows, metrics."""

from __future__ import annotations

import json
import threading
from argparse import Namespace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from local.components.chat_completion import names, rows, schedule, settings
from local.components.chat_completion.batches import packed, parts
from local.components.chat_completion.dataset_files import read_examples, write_examples
from local.components.chat_completion.device import choose
from local.components.chat_completion.encode import Example, encode
from local.components.chat_completion.errors import StepError
from local.components.chat_completion.gguf_file import Field, GgufFile, Tensor, quantised, write_gguf
from local.components.chat_completion.learners import learner_for
from local.components.chat_completion.llama import Llama, load_weights, shape_of
from local.components.chat_completion.settings import Settings
from local.components.chat_completion.tracking import Tracker
from local.components.chat_completion.training import Patience, Plan, Trainer
from local.components.chat_completion.vocabulary import Vocabulary
from local.registry.build import smollm2_weights
from local.registry.tiny_model import write_tiny_model

CHAT = [
    {"role": "user", "content": "How heavy is it?"},
    {"role": "assistant", "content": "It weighs 86 grams."},
    {"role": "user", "content": "And how long?"},
    {"role": "assistant", "content": "Nine cm."},
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> GgufFile:
    path = tmp_path_factory.mktemp("tiny") / "model.gguf"
    write_tiny_model(path, smollm2_weights())
    return GgufFile(path)


@pytest.fixture(scope="module")
def vocabulary(tiny: GgufFile) -> Vocabulary:
    return Vocabulary(tiny)


def examples(vocabulary: Vocabulary, count: int = 6) -> list[Example]:
    chats = (
        [{"role": "user", "content": f"What is {i}?"}, {"role": "assistant", "content": "Ten" * i}]
        for i in range(1, count + 1)
    )
    return [encode(vocabulary, chat) for chat in chats]


def test_only_the_assistants_words_are_labelled(vocabulary: Vocabulary) -> None:
    example = encode(vocabulary, CHAT)
    said = vocabulary.decode([i for i, counts in zip(example.ids, example.labelled, strict=True) if counts])
    assert said == "It weighs 86 grams.<|im_end|>Nine cm.<|im_end|>"


def test_tokens_are_those_of_the_whole_text(vocabulary: Vocabulary) -> None:
    whole = vocabulary.render(CHAT, prompt=False)
    assert vocabulary.decode(encode(vocabulary, CHAT).ids) == whole.rstrip("\n")
    assert vocabulary.encode("in 1987 <|im_end|>")[-1] == 2


def test_a_set_survives_being_written_and_read(tmp_path: Path, vocabulary: Vocabulary) -> None:
    kept = examples(vocabulary)
    write_examples(tmp_path, "train", kept)
    assert read_examples(tmp_path, "train") == kept


def test_packing_rows_behind_a_shared_prefix_gives_the_loss_of_each_row_alone(
    tiny: GgufFile, vocabulary: Vocabulary
) -> None:
    device, kind = torch.device("cpu"), torch.float32
    model = Llama(shape_of(tiny), load_weights(tiny, device, kind))
    chosen = Settings(apply_lora=True, learning_rate=1e-3)
    trainer = Trainer(model, learner_for(model, chosen), chosen, device, lambda step, values: None)
    group = examples(vocabulary)
    assert packed(group, device).batch.prefix > 20
    together, alone = trainer._loss(group), sum(trainer._loss([row]).item() for row in group)
    assert together.item() == pytest.approx(alone, rel=1e-5)


def test_a_batch_is_cut_where_it_has_too_many_tokens(vocabulary: Vocabulary) -> None:
    group = examples(vocabulary)
    cut = list(parts(group, limit=100))
    assert [row for part in cut for row in part] == group and len(cut) > 1


def test_training_repeats_exactly_for_a_seed(tiny: GgufFile, vocabulary: Vocabulary) -> None:
    def losses() -> list[float]:
        logged: list[float] = []
        chosen = Settings(apply_lora=True, learning_rate=1e-2, lora_dropout=0.1, logging_steps=1, max_steps=4)
        device, kind = choose(chosen)
        model = Llama(shape_of(tiny), load_weights(tiny, device, kind))
        trainer = Trainer(
            model,
            learner_for(model, chosen),
            chosen,
            device,
            lambda step, values: logged.extend(values[k] for k in values if k == "loss"),
        )
        trainer.train(examples(vocabulary), examples(vocabulary, 2))
        return logged

    first = losses()
    assert first == losses() and first[-1] < first[0]


def test_loss_is_logged_before_anything_changed_and_total_steps_for_a_progress_bar(
    tiny: GgufFile, vocabulary: Vocabulary
) -> None:
    logged: list[tuple[int, dict[str, float]]] = []
    chosen = Settings(apply_lora=True, learning_rate=1e-2, max_steps=3)
    device, kind = choose(chosen)
    model = Llama(shape_of(tiny), load_weights(tiny, device, kind))
    trainer = Trainer(
        model, learner_for(model, chosen), chosen, device, lambda step, values: logged.append((step, dict(values)))
    )
    trainer.train(examples(vocabulary), examples(vocabulary, 2))
    at_start = {key for step, values in logged if step == 0 for key in values}
    assert {"loss", "eval_loss", "total_steps", "learning_rate"} <= at_start
    assert {"train_loss", "train_runtime"} <= set(logged[-1][1])


@pytest.mark.parametrize(
    ("kind", "at_half", "at_end"),
    [
        ("linear", 0.5, 0.0),
        ("cosine", 0.5, 0.0),
        ("polynomial", 0.5, 0.0),
        ("constant", 1.0, 1.0),
        ("constant_with_warmup", 1.0, 1.0),
    ],
)
def test_schedules_end_where_they_should(kind: str, at_half: float, at_end: float) -> None:
    assert schedule.factor(kind, 5, 0, 10) == pytest.approx(at_half)
    assert schedule.factor(kind, 10, 0, 10) == pytest.approx(at_end)


def test_warm_up_rises_in_a_straight_line_except_for_constant() -> None:
    assert [schedule.factor("cosine", step, 4, 10) for step in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert schedule.factor("constant", 0, 4, 10) == 1.0


def test_absent_inputs_keep_the_components_defaults() -> None:
    assert settings.settings_from(Namespace(learning_rate="5e-6", apply_lora="true", max_steps=None)) == Settings(
        learning_rate=5e-6, apply_lora=True
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"learning_rate": "0"}, "learning_rate"),
        ({"num_train_epochs": "two"}, "whole number"),
        ({"optim": "sgd"}, "adafactor"),
        ({"apply_lora": "yes"}, "true or false"),
        ({"apply_early_stopping": "true", "evaluation_strategy": "disable"}, "evaluation_strategy"),
        ({"apply_deepspeed": "true", "auto_find_batch_size": "true"}, "Deep Speed"),
        ({"lora_dropout": "1.5"}, "lora_dropout"),
    ],
)
def test_wrong_settings_are_refused_by_name(given: dict[str, str], words: str) -> None:
    with pytest.raises(StepError, match=words):
        settings.settings_from(Namespace(**given))


def test_a_plan_counts_steps_over_epochs_unless_max_steps_says_otherwise() -> None:
    base = Settings(num_train_epochs=3, per_device_train_batch_size=4)
    assert Plan(10, base).steps == 9 == len(list(Plan(10, base).batches()))
    short = Settings(per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=7)
    assert [len(batch) for batch in Plan(10, short).batches()] == [4, 4, 2, 4, 4, 2, 4]


def test_early_stopping_waits_for_its_patience() -> None:
    patience = Patience(Settings(apply_early_stopping=True, early_stopping_patience=2, early_stopping_threshold=0.1))
    assert [patience.over(loss) for loss in (2.0, 1.0, 0.95, 0.94)] == [False, False, False, True]


def test_rows_that_teach_nothing_are_dropped_and_too_few_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [{"messages": CHAT, "extra": 1}, {"messages": []}, {"messages": CHAT[:1]}, {"messages": None}]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    kept = rows.read_rows(path)
    assert [row.messages for row in kept] == [CHAT]
    with pytest.raises(StepError, match="fewer than 10 samples"):
        rows.check_enough(kept)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"messages": [', "Error while loading"),
        ("a.jsonl", '{"text": "x"}', "`messages`"),
        ("a.txt", "x", "not supported"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(StepError, match=words):
        rows.read_rows(tmp_path / name)


def test_missing_sets_are_cut_from_the_training_rows_by_position() -> None:
    ten = [rows.Row([{"n": i}]) for i in range(10)]
    assert [len(x) for x in vars(rows.split(ten, None, None)).values()] == [8, 1, 1]
    assert rows.split(ten, ten[:1], None).test == ten[8:]
    assert rows.split(ten, ten[:1], ten[:2]).train == ten


def test_row_orders_of_gguf_and_transformers_turn_into_each_other() -> None:
    matrix = np.arange(64, dtype=np.float32).reshape(16, 4)
    assert not np.array_equal(names.to_gguf(matrix, 2), matrix)
    assert np.array_equal(names.from_gguf(names.to_gguf(matrix, 2), 2), matrix)


def test_a_gguf_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
    fields = {"a": Field(8, "text"), "b": Field(9, [1, 2], 5), "c": Field(7, True), "d": Field(9, ["x", "ü"], 8)}
    tensors: dict[str, Tensor] = {"m": quantised(matrix), "v": quantised(matrix[0])}
    write_gguf(tmp_path / "x.gguf", fields, tensors)
    read = GgufFile(tmp_path / "x.gguf")
    assert read.fields == fields
    assert np.allclose(read.array("m"), matrix, atol=0.05) and np.array_equal(read.array("v"), matrix[0])


def test_something_else_than_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"PK\3\4" + b"\0" * 40)
    with pytest.raises(StepError, match="no GGUF file"):
        GgufFile(tmp_path / "x.gguf")


def test_metrics_go_to_the_step_and_the_root_run() -> None:
    seen: list[tuple[str, str | None, dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Authorization"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uri = f"http://127.0.0.1:{server.server_port}/mlflow"
    tracker = Tracker(
        {
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_TRACKING_TOKEN": "t",
            "MLFLOW_RUN_ID": "step",
            "AZUREML_ROOT_RUN_ID": "root",
        }
    )
    tracker.log(3, {"loss": 1.5, "grad_norm": float("nan")})
    tracker.close()
    server.shutdown()
    server.server_close()
    assert [body["run_id"] for _, _, body in seen] == ["step", "root"]
    assert all(path == "/mlflow/api/2.0/mlflow/runs/log-batch" and token == "Bearer t" for path, token, _ in seen)
    metrics = seen[0][2]["metrics"]
    assert isinstance(metrics, list) and [(m["key"], m["value"], m["step"]) for m in metrics] == [("loss", 1.5, 3)]


def test_a_dead_tracking_server_does_not_stop_training(capsys: pytest.CaptureFixture[str]) -> None:
    tracker = Tracker({"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_RUN_ID": "x"})
    tracker.log(1, {"loss": 1.0})
    tracker.log(2, {"loss": 1.0})
    tracker.close()
    assert capsys.readouterr().err.count("cannot be sent") == 1
