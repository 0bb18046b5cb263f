"""What goes to an endpoint and comes back: the notebook's body, OpenAI's, and the answers' shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.endpoints import completion, openai, raw, wire
from shared.endpoints.completion import Counts
from shared.endpoints.refusals import ScoringError, refusal
from shared.endpoints.scoring import MAX_BODY

ASKED = [{"role": "user", "content": "hi"}]
CHAT = {"model": "acme", "messages": ASKED}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ([{"0": "hello"}], "hello"),
        (["hello"], "hello"),
        ({"output": "hello"}, "hello"),
        ({"output": "hello", "message": {"content": "hello"}, "finish_reason": "stop"}, "hello"),
        ({"message": {"role": "assistant", "content": "hello"}}, "hello"),
        ("hello", "hello"),
        ([{"0": ""}], ""),
        ({}, None),
        ([], None),
        (None, None),
        ({"output": None, "error": {"status_code": 400, "body": "no"}}, None),
        ({"message": "An unexpected error occurred in scoring script."}, None),
    ],
)
def test_the_text_is_found_in_every_servers_answer_and_a_failure_has_none(answer: Any, text: str | None) -> None:
    assert wire.text_of(answer) == text


@given(JSON)
def test_any_answer_has_a_text_or_none(answer: Any) -> None:
    assert isinstance(wire.text_of(answer), str | None)


def test_our_own_body_is_nested_once_and_passes_the_check() -> None:
    body = wire.body_of(ASKED, {"temperature": 0})
    assert json.loads(body)["input_data"] == {"input_string": [ASKED], "parameters": {"temperature": 0}}
    assert raw.checked(body) == body


@pytest.mark.parametrize("rows", [ASKED, [ASKED], [ASKED, ASKED]])
def test_flat_nested_and_batched_bodies_pass_unchanged(rows: Any) -> None:
    body = json.dumps({"input_data": {"input_string": rows}}).encode()
    assert raw.checked(body) is body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "input_data"),
        ({}, "input_data"),
        ({"input_data": {}}, "input_data.input_string"),
        ({"input_data": {"input_string": []}}, "input_data.input_string"),
        ({"input_data": {"input_string": "hi"}}, "input_data.input_string"),
        ({"input_data": {"input_string": [[]]}}, "input_data.input_string[0]"),
        ({"input_data": {"input_string": [ASKED, 3]}}, "input_data.input_string[1]"),
        ({"input_data": {"input_string": [ASKED, [{"role": "user"}]]}}, "input_data.input_string[1][0]"),
        ({"input_data": {"input_string": [{"role": "user"}]}}, "input_data.input_string[0]"),
        ({"input_data": {"input_string": ASKED, "parameters": []}}, "input_data.parameters"),
    ],
)
def test_a_wrong_notebook_body_is_400_with_the_field(body: Any, field: str) -> None:
    with pytest.raises(ScoringError) as caught:
        raw.checked(json.dumps(body).encode())
    assert (caught.value.status, caught.value.field) == (400, field)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'"\xff"', DEEP])
def test_what_is_no_json_is_400(body: bytes) -> None:
    for check in (raw.checked, openai.parse):
        with pytest.raises(ScoringError) as caught:
            check(body)
        assert (caught.value.status, caught.value.code) == (400, "invalid_json")


def test_a_body_that_is_too_large_is_413() -> None:
    with pytest.raises(ScoringError) as caught:
        raw.checked(b" " * (MAX_BODY + 1))
    assert (caught.value.status, caught.value.code) == (413, "request_too_large")


def parsed(change: dict[str, Any] | None = None) -> openai.Chat:
    return openai.parse(json.dumps({**CHAT, **(change or {})}).encode())


def test_openais_parameters_become_the_endpoints() -> None:
    chat = parsed({"temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 7, "stop": "x", "seed": 3, "top_k": 40})
    assert chat.parameters == {"temperature": 0.5, "top_p": 0.9, "do_sample": True, "top_k": 40}
    assert (chat.limit, chat.extras, chat.stops) == (7, {"stop": ["x"], "seed": 3}, ["x"])
    quiet = parsed({"temperature": 0, "max_tokens": 9, "n": 2})
    assert (quiet.greedy, quiet.parameters["do_sample"], quiet.limit, quiet.answers) == (True, False, 9, 2)
    assert (parsed().limit, parsed().answers, parsed().stream) == (None, 1, False)


def test_a_model_may_be_pinned_to_a_run() -> None:
    chat = parsed({"model": "acme@acme-0123456789"})
    assert (chat.name, chat.run, chat.model) == ("acme", "acme-0123456789", "acme@acme-0123456789")
    assert (parsed().name, parsed().run) == ("acme", "")


@pytest.mark.parametrize("name", sorted(openai.WITHOUT_EFFECT))
def test_what_changes_nothing_is_let_through(name: str) -> None:
    assert parsed({name: "anything"}) == parsed()


@pytest.mark.parametrize(
    "change",
    [
        {"tools": []},
        {"tools": None, "tool_choice": "none", "functions": []},
        {"logprobs": False, "top_logprobs": 0, "logit_bias": {}},
        {"presence_penalty": 0.0, "frequency_penalty": 0, "modalities": ["text"]},
        {"response_format": {"type": "text"}, "reasoning_effort": None, "seed": None, "stop": None, "n": 1},
    ],
)
def test_what_asks_for_nothing_special_is_let_through(change: dict[str, Any]) -> None:
    assert parsed(change) == parsed()


def test_messages_of_one_role_are_joined_and_parts_of_text_too() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    asked = [
        {"role": "developer", "content": "s"},
        {"role": "system", "content": "t"},
        {"role": "user", "content": parts, "name": "me"},
        {"role": "user", "content": "c"},
    ]
    assert parsed({"messages": asked}).messages == [
        {"role": "system", "content": "s\n\nt"},
        {"role": "user", "content": "ab\n\nc"},
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [*ASKED, {"role": "system", "content": "x"}, *ASKED]}, "messages[1].role"),
        ({"messages": [{"role": "assistant", "content": "x"}, *ASKED]}, "messages[0].role"),
        ({"messages": [*ASKED, {"role": "assistant", "tool_calls": [{}]}]}, "messages[1].tool_calls"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": [], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"messages": [*ASKED, {"role": "assistant", "content": "x"}]}, "messages[1].role"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"stop": 3}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"top_k": -1}, "top_k"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"max_token": 3}, "max_token"),
        ({"stop": [3]}, "stop"),
        ({"seed": "x"}, "seed"),
        ({"tools": [{}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": "json"}, "response_format"),
    ],
)
def test_what_we_cannot_honour_is_400_with_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ScoringError) as caught:
        parsed(change)
    error = caught.value.envelope()["error"]
    assert (caught.value.status, error["param"], error["type"]) == (400, field, "invalid_request_error")


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": 3}])
def test_a_request_without_a_model_is_400(body: Any) -> None:
    with pytest.raises(ScoringError) as caught:
        openai.parse(json.dumps({"messages": ASKED, **body}).encode())
    assert caught.value.field == "model"


@given(st.dictionaries(st.sampled_from(["messages", "stop", "seed", "n", "response_format", "max_tokens"]), JSON))
def test_any_request_is_sent_on_or_refused(change: dict[str, Any]) -> None:
    try:
        assert raw.checked(wire.body_of(parsed(change).messages, parsed(change).parameters))
    except ScoringError as error:
        assert error.status == 400


def test_a_misspelt_parameter_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(ScoringError, match="did you mean 'max_tokens'") as caught:
        parsed({"max_token": 3})
    assert caught.value.code == "unknown_parameter"


def test_an_answer_is_a_chat_completion() -> None:
    whole = completion.completion(parsed(), [("hello", "stop"), ("ho", "length")], Counts(1, 2, True))
    assert whole["object"] == "chat.completion"
    assert [choice["message"]["content"] for choice in whole["choices"]] == ["hello", "ho"]
    assert [(choice["index"], choice["finish_reason"]) for choice in whole["choices"]] == [(0, "stop"), (1, "length")]
    assert whole["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"no json", b"\xff", DEEP, b'{"output": null, "error": {}}'])
def test_an_answer_without_a_text_is_none(answer: bytes) -> None:
    assert wire.read(answer) is None


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (b'[{"0": "hi"}]', wire.Answer("hi")),
        (
            b'{"output": "hi", "finish_reason": "length", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}',
            wire.Answer("hi", "length", 3, 1),
        ),
        (
            b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": -1}}',
            wire.Answer("hi", "stop"),
        ),
        (b'{"output": "hi", "usage": "much"}', wire.Answer("hi")),
    ],
)
def test_what_a_server_counts_and_says_is_read(answer: bytes, read: wire.Answer) -> None:
    assert wire.read(answer) == read


@given(JSON)
def test_any_body_of_an_endpoint_is_read_or_none(answer: Any) -> None:
    assert isinstance(wire.read(json.dumps(answer).encode()), wire.Answer | None)


@pytest.mark.parametrize(
    ("told", "text", "stopped", "least", "most", "reason"),
    [
        ("length", "a b", False, 1, 2, "length"),
        ("length", "a b", True, 1, 2, "stop"),
        ("", "It is so.", False, 4, 9, "stop"),
        ("", "It is so and", False, 4, 9, "length"),
        ("", "It is so and", False, 3, 7, "stop"),
        ("", "It is so.", False, 8, 12, "length"),
        ("eos", "It is", False, 1, 2, "stop"),
    ],
)
def test_why_an_answer_ended_is_told_by_the_server_or_by_its_length(
    told: str, text: str, stopped: bool, least: int, most: int, reason: str
) -> None:
    assert completion.finish_reason(wire.Answer(text, told), text, stopped, 8, least, most) == reason


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_no_stop_is_left_in_what_was_cut(text: str, stops: list[str]) -> None:
    kept, stopped = completion.cut(text, stops)
    assert text.startswith(kept)
    assert not any(stop in kept for stop in stops)
    assert stopped == (kept != text)


@given(st.lists(st.text(), min_size=1, max_size=3), st.booleans())
def test_the_event_stream_reads_back_as_the_answers(texts: list[str], with_usage: bool) -> None:
    whole = completion.completion(parsed(), [(text, "stop") for text in texts], Counts(3, 4, False))
    events = completion.event_stream(whole, with_usage).split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in events[:-2]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    for index, text in enumerate(texts):
        mine = [choice for choice in choices if choice["index"] == index]
        assert "".join(choice["delta"].get("content", "") for choice in mine) == text
        assert [choice["finish_reason"] for choice in mine] == [None, "stop"]
    assert {chunk["id"] for chunk in chunks} == {whole["id"]}
    assert [chunk["usage"] for chunk in chunks if chunk.get("usage")] == [whole["usage"]] * with_usage


def test_models_are_listed_with_the_moment_that_they_came() -> None:
    listed = completion.models([("acme", "1970-01-01T00:01:00.000Z"), ("new", "")])
    assert [(row["id"], row["created"]) for row in listed["data"]] == [("acme", 60), ("new", 0)]


@pytest.mark.parametrize(
    ("status", "headers", "answer", "again"),
    [
        (429, {"Retry-After": "7"}, (429, "rate_limit_exceeded"), "7"),
        (429, {"retry-after": "soon"}, (429, "rate_limit_exceeded"), "1"),
        (408, {}, (504, "timeout"), "5"),
        (404, {}, (503, "model_unavailable"), "5"),
        (0, {}, (503, "model_unavailable"), "5"),
        (400, {}, (400, "invalid_input"), None),
        (401, {}, (502, "endpoint_refused"), "5"),
        (500, {}, (502, "endpoint_failed"), "5"),
        (424, {"ms-azureml-model-error-statuscode": "400"}, (400, "invalid_input"), None),
        (424, {"Ms-Azureml-Model-Error-Statuscode": "503"}, (503, "model_unavailable"), "5"),
        (424, {"ms-azureml-model-error-statuscode": "500"}, (502, "model_failed"), "1"),
        (424, {}, (502, "model_failed"), "1"),
    ],
)
def test_an_endpoints_refusal_becomes_what_openais_client_understands(
    status: int, headers: dict[str, str], answer: tuple[int, str], again: str | None
) -> None:
    error = refusal("acme", status, headers, 0)
    assert ((error.status, error.code), error.headers.get("Retry-After")) == (answer, again)
