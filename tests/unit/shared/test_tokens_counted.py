"""Tokens: estimated by script, counted by a tokenizer, reckoned from a sample."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets import tokens
from shared.datasets.tokens import token_rates

ENGLISH = "The light that you see from the nearest star is older than four years, and it has not changed since then. "
TEXTS = [
    ENGLISH * 3,
    "def add(a: int, b: int) -> int:\n    return a + b\n" * 3,
    "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3,
    "敏捷的棕色狐狸跳过了懒狗，然后在河边睡着了。",
    "naïve café — “quoted”  1234567 \t\n\n  <|im_start|>user\nhi<|im_end|> 😀👍🏽",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from local.registry.build import smollm2_weights
    from local.registry.tokenizer import write_tokenizer

    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(smollm2_weights(), path)
    return path


@pytest.fixture(scope="module")
def counter(file: Path) -> tokens.Counter:
    return tokens.from_file(file)


@pytest.fixture(scope="module")
def vocabulary() -> object:
    from local.components.chat_completion.gguf_file import GgufFile
    from local.components.chat_completion.vocabulary import Vocabulary
    from local.registry.build import smollm2_weights

    return Vocabulary(GgufFile(smollm2_weights()))


def rows(count: int, seed: int = 1) -> list[tokens.Row]:
    rng = random.Random(seed)
    pick = [("user", ENGLISH), ("assistant", "Yes. " + ENGLISH)]
    return [[(role, text * rng.randint(1, 6)) for role, text in pick] for _ in range(count)]


def of(sample: list[tokens.Row], role: str = "") -> int:
    return sum(len(content) for row in sample for said, content in row if role in ("", said))


def test_the_file_tokenizes_as_the_trainers_vocabulary_does(file: Path, vocabulary: object) -> None:
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(file))
    for text in [*TEXTS, Path(__file__).read_text(encoding="utf-8")]:
        assert loaded.encode(text, add_special_tokens=False).ids == vocabulary.encode(text)  # type: ignore[attr-defined]


def test_the_file_tokenizes_as_llama_cpp_does(file: Path, tmp_path: Path) -> None:
    """llama.cpp reads the same vocabulary out of a tiny model and answers over HTTP, in this process."""
    import xllamacpp
    from tokenizers import Tokenizer

    from local.registry.build import smollm2_weights
    from local.registry.tiny_model import write_tiny_model

    write_tiny_model(tmp_path / "tiny.gguf", smollm2_weights())
    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.warmup = str(tmp_path / "tiny.gguf"), 64, False
    settings.hostnames, settings.port, settings.ui, settings.verbosity = ["127.0.0.1"], 0, False, 1
    server, loaded = xllamacpp.Server(settings), Tokenizer.from_file(str(file))
    root = Path(__file__).parents[3]
    corpus = [root / "README.md", root / "examples" / "nimbrel.jsonl", Path(__file__)]
    for text in [*TEXTS, *(path.read_text(encoding="utf-8") for path in corpus)]:
        body = {"content": text, "add_special": False, "parse_special": True}
        answer = requests.post(f"{server.listening_address}/tokenize", json=body, timeout=10).json()
        assert answer["tokens"] == loaded.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("system", [[], [("system", "Be brief.")]])
def test_a_rows_tokens_are_those_that_train(counter: tokens.Counter, vocabulary: object, system: tokens.Row) -> None:
    from local.components.chat_completion.encode import encode

    for text in TEXTS[:4]:
        row = [*system, ("user", text), ("assistant", text), ("user", "And?"), ("assistant", "Nine cm.")]
        trained = encode(vocabulary, [{"role": role, "content": content} for role, content in row])  # type: ignore[arg-type]
        whole, answers = tokens.of_rows([row], counter)[0]
        assert whole - 1 == len(trained.ids)  # the line's end after the last answer is not trained on
        assert answers == sum(trained.labelled)


def test_all_rows_counted_is_exact(counter: tokens.Counter) -> None:
    sample = rows(20)
    found = tokens.summary(sample, 20, of(sample), of(sample, "assistant"), counter)
    assert found["exact"] and found["error"] == 0
    assert found["total"] == sum(whole for whole, _ in tokens.of_rows(sample, counter))
    assert "all 20 rows" in found["basis"]


def test_a_sample_is_right_within_the_error_that_it_states(counter: tokens.Counter) -> None:
    everything = rows(400)
    truth = tokens.summary(everything, 400, of(everything), of(everything, "assistant"), counter)
    hits = 0
    for seed in range(20):
        sample = random.Random(seed).sample(everything, 32)
        found = tokens.summary(sample, 400, of(everything), of(everything, "assistant"), counter)
        assert not found["exact"] and 0 < found["error"] < 0.1
        hits += abs(found["total"] / truth["total"] - 1) <= found["error"] + 1e-4
    assert hits >= 17


@pytest.mark.parametrize("text", TEXTS[:4])
def test_an_estimate_is_right_within_its_stated_error(counter: tokens.Counter, text: str) -> None:
    estimated = tokens.estimated("SmolLM2-135M-Instruct")
    assert estimated.count([text])[0] == pytest.approx(counter.count([text])[0], rel=estimated.error)


def test_an_unknown_model_has_a_wider_error_and_says_that_it_is_assumed() -> None:
    known, unknown = tokens.estimated("Phi-3-mini-4k-instruct"), tokens.estimated("my-model")
    assert unknown.error > known.error and "assumed" in unknown.name and "assumed" not in known.name
    found = tokens.summary(rows(3), 3, of(rows(3)), of(rows(3), "assistant"), unknown)
    assert not found["exact"] and found["error"] == unknown.error and "within 45.0%" in found["basis"]


def test_rows_that_were_cut_for_the_sample_are_not_told_as_all(counter: tokens.Counter) -> None:
    whole = rows(10)
    cut = [[(role, content[:100]) for role, content in row] for row in whole]
    found = tokens.summary(cut, 10, of(whole), of(whole, "assistant"), counter)
    truth = tokens.summary(whole, 10, of(whole), of(whole, "assistant"), counter)
    assert not found["exact"] and "a sample of" in found["basis"]
    assert found["total"] == pytest.approx(truth["total"], rel=0.25)


def test_nothing_has_no_tokens() -> None:
    found = tokens.summary([], 0, 0, 0, tokens.estimated("Phi-4"))
    assert (found["total"], found["answers"], found["per_character"]) == (0, 0, 0)


def test_one_sampled_row_of_many_tells_next_to_nothing() -> None:
    assert tokens.summary(rows(1), 1000, 10**6, 10**5, tokens.estimated("Phi-4"))["error"] == 1


def test_rows_near_the_limit_are_those_within_thirty_per_cent() -> None:
    assert [tokens.near_limit(n, 1000, 0.25) for n in (2700, 2900, 4000, 5100, 5300)] == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Phi-3-mini-4k-instruct", (4096, True)),
        ("Phi-3-mini-128k-instruct", (131072, True)),
        ("Phi-3.5-mini-instruct", (131072, True)),
        ("Phi-4", (16384, True)),
        ("Phi-4-mini-instruct", (131072, True)),
        ("SmolLM2-135M-Instruct", (8192, True)),
        ("tiny-random-chat", (2048, True)),
        ("mistralai-Mistral-7B-Instruct-v0-3", (32768, True)),
        ("mistralai-Mistral-7B-Instruct-v01", (8192, True)),
        ("Llama-2-7b-chat", (4096, True)),
        ("Meta-Llama-3-8B-Instruct", (8192, True)),
        ("Meta-Llama-3.1-8B-Instruct", (131072, True)),
        ("own-model-32k-chat", (32768, True)),
        ("own-model", (4096, False)),
    ],
)
def test_context_lengths_are_known_hinted_or_assumed(name: str, told: tuple[int, bool]) -> None:
    assert tokens.context_tokens(name) == told


def test_a_missing_or_broken_tokenizer_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(tokens.TokenizerError, match="there is no tokenizer at"):
        tokens.from_file(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(tokens.TokenizerError, match=r"broken.json is no tokenizer.json"):
        tokens.from_file(tmp_path / "broken.json")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(tokens.TokenizerError, match="pip install tokenizers"):
        tokens.from_file(tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ENGLISH, token_rates.ENGLISH),
        (TEXTS[1], token_rates.CODE),
        ("Der Hund ist in den Garten gelaufen, denn dort war es warm und hell.", "Latin"),
        ("De kat is in de tuin of op het dak, want daar was het warm.", "Latin"),
    ],
)
def test_latin_is_told_apart_as_english_code_or_another_language(text: str, kind: str) -> None:
    assert token_rates.latin_kind(text) == kind


@given(st.lists(st.text(alphabet=st.characters(), max_size=60), max_size=4))
def test_any_text_has_an_estimate(texts: list[str]) -> None:
    found = tokens.estimated("Phi-3-mini-4k-instruct").count(texts)
    assert all((count == 0) == (not text) for count, text in zip(found, texts, strict=True))
