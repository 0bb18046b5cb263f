"""Asking a model as its users do: unmodified clients, a box whose functions run in two instances."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
from box_client import Box, rows, running, until

from shared.access import KNOWN_SECONDS

pytestmark = pytest.mark.e2e
MARK = "a-word-that-no-log-may-hold"
ASKED: Any = [{"role": "user", "content": f"hello {MARK}"}]
CALLERS = 100


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two instances of the functions host, over one storage."""
    with running(tmp_path_factory.mktemp("scoring") / "home", instances=2) as found:
        yield found


@pytest.fixture(scope="module")
def live(box: Box) -> dict[str, Any]:
    return box.settled("tea/chats.jsonl", box.drop("tea/chats.jsonl", rows(24)))


def _options(box: Box, key: str = "") -> dict[str, Any]:
    return {"base_url": f"{box.environment['DROPTUNE_URL']}/api/v1", "api_key": key or box.environment["DROPTUNE_KEY"]}


@pytest.fixture
def client(box: Box, live: dict[str, Any]) -> openai.OpenAI:
    until(lambda: _state(box)["state"] == "awake" or box.http("POST", "endpoints/tea/wake") is None)
    return openai.OpenAI(**_options(box))


def _state(box: Box) -> dict[str, Any]:
    return dict(box.http("GET", "endpoints/tea").json())


def _key(box: Box, *options: str) -> str:
    done = box.command("keys", "make", "--home", str(box.home), *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _at_once(box: Box, count: int, key: str = "", **options: Any) -> list[Any]:
    """What so many callers at the same time get: a completion or an error each."""

    async def all_of_them() -> list[Any]:
        async with openai.AsyncOpenAI(**_options(box, key), **options) as client:
            asked = (
                client.chat.completions.create(model="tea", messages=ASKED, temperature=0, max_tokens=2)
                for _ in range(count)
            )
            return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(all_of_them())


def _sleep(box: Box) -> None:
    assert box.http("POST", "endpoints/tea/sleep").status_code == 202


def test_the_parameters_of_openai_are_honoured(client: openai.OpenAI) -> None:
    def ask(**more: Any) -> Any:
        return client.chat.completions.create(
            **{"model": "tea", "messages": ASKED, "temperature": 0, "max_tokens": 8, **more}
        )

    plain = ask()
    text = str(plain.choices[0].message.content)
    assert plain.usage.completion_tokens > 0 and plain.choices[0].finish_reason == "length"
    assert ask(n=3).choices[2].message.content == text
    word = text.split()[2]
    stopped = ask(stop=[word]).choices[0]
    assert stopped.message.content == text[: text.index(word)] and stopped.finish_reason == "stop"
    shorter = ask(max_tokens=None, max_completion_tokens=2).choices[0].message.content
    assert text.startswith(shorter) and len(shorter) < len(text)
    drawn = [ask(temperature=1, top_p=0.9, seed=seed, n=2).choices for seed in (7, 7, 8)]
    same, again, other = ([choice.message.content for choice in choices] for choices in drawn)
    assert same == again != other and same[0] != same[1]
    assert ask(user="me", metadata={"a": "b"}, store=False).choices[0].message.content == text


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "unsupported_parameter", "tools"),
        ({"logprobs": True}, "unsupported_parameter", "logprobs"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter", "response_format"),
        ({"extra_body": {"max_token": 1}}, "unknown_parameter", "max_token"),
        ({"temperature": 3}, "invalid_value", "temperature"),
        ({"max_tokens": 100_000}, "context_length_exceeded", "max_tokens"),
        ({"messages": [{"role": "user", "content": "word " * 20_000}]}, "context_length_exceeded", "messages"),
    ],
)
def test_what_cannot_be_honoured_is_refused_before_the_gpu_sees_it(
    client: openai.OpenAI, change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**{"model": "tea", "messages": ASKED, **change})
    assert (caught.value.code, caught.value.param) == (code, field)


def test_streams_raw_responses_and_time_outs_are_as_the_client_wants_them(box: Box, client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "tea", "messages": ASKED, "temperature": 0, "max_tokens": 6}
    raw = client.chat.completions.with_raw_response.create(**asked)
    assert raw.headers["x-droptune-finish-reason"] == "estimate"  # the box's server gives a text, as Azure's does
    assert raw.headers["x-droptune-usage"] == "estimate" and raw.headers["x-request-id"] == raw.parse().id
    pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert said == raw.parse().choices[0].message.content
    assert pieces[-1].usage == raw.parse().usage
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.001, max_retries=0).chat.completions.create(**asked)


def test_models_are_listed_and_one_version_may_be_asked(client: openai.OpenAI, live: dict[str, Any]) -> None:
    assert [model.id for model in client.models.list()] == ["tea"]
    pinned = f"tea@{live['id']}"
    assert client.models.retrieve("tea").id == "tea"
    assert client.models.retrieve(pinned).id == pinned
    answers = [
        client.chat.completions.create(model=model, messages=ASKED, temperature=0, max_tokens=4)
        for model in ("tea", pinned, f"tea@{live['id'].rsplit('-', 1)[-1]}")
    ]
    assert len({answer.choices[0].message.content for answer in answers}) == 1
    for unknown in ("nothing", "tea@tea-0000000000", "../tea"):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model=unknown, messages=ASKED)
        assert caught.value.code == "model_not_found"


def test_a_keys_limit_holds_over_both_instances(box: Box, client: openai.OpenAI) -> None:
    key = _key(box, "--model", "tea", "--per-minute", "20")
    time.sleep(max(0.0, 60 - time.time() % 60) if time.time() % 60 > 40 else 0)
    minute = time.time() // 60
    found = _at_once(box, 40, key, max_retries=0)
    refused = [one for one in found if isinstance(one, openai.RateLimitError)]
    answered = [one for one in found if not isinstance(one, Exception)]
    assert len(answered) + len(refused) == 40
    assert time.time() // 60 == minute and 16 <= len(answered) <= 20
    assert all(1 <= int(one.response.headers["retry-after"]) <= 60 for one in refused)
    with pytest.raises(openai.PermissionDeniedError):
        openai.OpenAI(**_options(box, key)).chat.completions.create(model="other", messages=ASKED)


def test_a_key_that_is_revoked_in_use_stops_within_its_bound(box: Box, client: openai.OpenAI) -> None:
    mine = openai.OpenAI(**_options(box, _key(box)))

    def ask() -> Any:
        return mine.chat.completions.create(model="tea", messages=ASKED, max_tokens=1)

    assert ask()
    assert box.command("keys", "revoke", str(mine.api_key), "--home", str(box.home)).returncode == 0
    ends = time.monotonic() + KNOWN_SECONDS + 2
    with pytest.raises(openai.AuthenticationError):
        while time.monotonic() < ends:
            ask()
            time.sleep(0.3)
    with pytest.raises(openai.AuthenticationError):
        ask()


def test_an_endpoints_new_key_is_fetched_without_a_failed_answer(box: Box, client: openai.OpenAI) -> None:
    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZUREML_WORKSPACE_NAME")
    azure = MLClient(DefaultAzureCredential(), *(os.environ[name] for name in names))
    assert all(not isinstance(one, Exception) for one in _at_once(box, 6))
    azure.online_endpoints.begin_regenerate_keys(_state(box)["endpoint"], key_type="primary").result()
    assert all(not isinstance(one, Exception) for one in _at_once(box, 6, max_retries=0))


def test_a_hundred_callers_of_a_sleeping_model_wake_it_once_and_are_all_answered(
    box: Box, client: openai.OpenAI
) -> None:
    _sleep(box)
    until(lambda: _state(box)["state"] == "asleep")
    before = _state(box)
    found = _at_once(box, CALLERS)
    assert [one for one in found if isinstance(one, Exception)] == []
    after = _state(box)
    woken = [moment for moment in after["timeline"] if moment["state"] == "waking"]
    assert len(woken) == 1 + len([moment for moment in before["timeline"] if moment["state"] == "waking"])
    assert int(after["deployment"].rsplit("-", 1)[1]) == int(before["deployment"].rsplit("-", 1)[1]) + 1


def test_requests_in_the_very_second_of_the_teardown_are_answered(box: Box, client: openai.OpenAI) -> None:
    _sleep(box)
    assert [one for one in _at_once(box, 12) if isinstance(one, Exception)] == []


def test_who_prefers_to_wait_gets_the_answer_of_the_model_that_he_woke(box: Box, client: openai.OpenAI) -> None:
    _sleep(box)
    until(lambda: _state(box)["state"] == "asleep")
    body = {"model": "tea", "messages": ASKED, "max_tokens": 2}
    told = box.http("POST", "v1/chat/completions", json=body, headers={"Prefer": "wait=0"})
    assert (told.status_code, told.json()["error"]["code"]) == (503, "model_asleep")
    assert 1 <= int(told.headers["Retry-After"]) <= 120 and told.headers["x-droptune-state"] == "waking"
    answered = box.http("POST", "v1/chat/completions", json=body, headers={"Prefer": "wait=50"})
    assert answered.status_code == 200, answered.text


def test_the_command_line_waits_until_a_model_is_awake(box: Box, client: openai.OpenAI) -> None:
    _sleep(box)
    until(lambda: _state(box)["state"] == "asleep")
    done = box.command("endpoints", "wake", "tea", "--wait", "--json", "--home", str(box.home))
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "awake")


def test_a_version_that_a_newer_one_replaced_is_a_404_that_says_so(
    box: Box, client: openai.OpenAI, live: dict[str, Any]
) -> None:
    newer = box.settled("tea/chats.jsonl", box.drop("tea/chats.jsonl", rows(28, "mate")))
    assert newer["id"] != live["id"]

    def look() -> Any:
        try:
            client.chat.completions.create(model=f"tea@{live['id']}", messages=ASKED, max_tokens=1)
        except openai.NotFoundError as error:
            return error

    assert until(look).code == "model_version_not_deployed"
    assert client.chat.completions.create(model=f"tea@{newer['id']}", messages=ASKED, max_tokens=1)


def test_no_prompt_and_no_key_is_in_a_log(box: Box, live: dict[str, Any]) -> None:
    whole = "".join(path.read_text(errors="replace") for path in (box.home / "logs").glob("*.log"))
    assert "chat_completions" in whole
    assert MARK not in whole and box.environment["DROPTUNE_KEY"] not in whole


def test_an_unknown_key_is_told_so_in_openais_words(box: Box) -> None:
    answer = requests.get(f"{box.environment['DROPTUNE_URL']}/api/v1/models/tea", timeout=30)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
