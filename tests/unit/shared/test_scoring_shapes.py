"""What goes to an endpoint and comes back: the notebook's body, OpenAI's, and the answers' shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.endpoints import openai, raw, wire
from shared.endpoints.scoring import MAX_BODY, ScoringError

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
    assert caught.value.status == 413


def test_openais_parameters_become_the_endpoints() -> None:
    request = {**CHAT, "temperature": 0.5, "top_p": 0.9, "max_completion_tokens": 7, "stop": "x", "seed": 3}
    data = json.loads(openai.to_endpoint(request))["input_data"]
    assert data["parameters"] == {
        "temperature": 0.5,
        "top_p": 0.9,
        "do_sample": True,
        "max_new_tokens": 7,
        "stop": ["x"],
        "seed": 3,
    }
    quiet = json.loads(openai.to_endpoint({**CHAT, "temperature": 0}))["input_data"]["parameters"]
    assert (quiet["do_sample"], quiet["max_new_tokens"]) == (False, openai.MAX_TOKENS)


def test_a_developer_speaks_as_system_and_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    asked = [{"role": "developer", "content": "s"}, {"role": "user", "content": parts}]
    sent = json.loads(openai.to_endpoint({**CHAT, "messages": asked}))["input_data"]["input_string"]
    assert sent == [[{"role": "system", "content": "s"}, {"role": "user", "content": "ab"}]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": [], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
        ({"messages": [*ASKED, {"role": "assistant", "content": "x"}]}, "messages[1].role"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stop": 3}, "stop"),
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
        openai.to_endpoint({**CHAT, **change})
    error = caught.value.envelope()["error"]
    assert (caught.value.status, error["param"], error["type"]) == (400, field, "invalid_request_error")


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": 3}])
def test_a_request_without_a_model_is_400(body: Any) -> None:
    with pytest.raises(ScoringError) as caught:
        openai.parse(json.dumps(body).encode())
    assert caught.value.field == "model"


@given(st.dictionaries(st.sampled_from(["messages", "stop", "seed", "n", "response_format", "max_tokens"]), JSON))
def test_any_request_is_sent_on_or_refused(change: dict[str, Any]) -> None:
    try:
        assert json.loads(openai.to_endpoint({**CHAT, **change}))
    except ScoringError as error:
        assert error.status == 400


def test_an_answer_is_a_chat_completion() -> None:
    whole = openai.answer(CHAT, b'[{"0": "hello"}]')
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "hello"}
    assert whole["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"no json", b"\xff", DEEP])
def test_an_answer_without_a_text_is_502(answer: bytes) -> None:
    with pytest.raises(ScoringError) as caught:
        openai.answer(CHAT, answer)
    assert (caught.value.status, caught.value.envelope()["error"]["type"]) == (502, "server_error")


@given(st.text(), st.booleans())
def test_the_event_stream_reads_back_as_the_answer(text: str, with_usage: bool) -> None:
    whole = openai.answer(CHAT, json.dumps([{"0": text}]).encode())
    events = openai.event_stream(whole, with_usage).split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in events[:-2]]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert "".join(choice["delta"].get("content", "") for choice in choices) == text
    assert [choice["finish_reason"] for choice in choices] == [None, "stop"]
    assert {chunk["id"] for chunk in chunks} == {whole["id"]}
    assert [chunk["usage"] for chunk in chunks if "usage" in chunk] == [whole["usage"]] * with_usage


def test_models_are_listed_with_the_moment_that_they_came() -> None:
    listed = openai.models([("acme", "1970-01-01T00:01:00.000Z"), ("new", "")])
    assert [(row["id"], row["created"]) for row in listed["data"]] == [("acme", 60), ("new", 0)]
