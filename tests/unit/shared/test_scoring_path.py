"""The way of a question: the line, the key that changed, the server that knows no seed, sleep and patience."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import access, clock, rates
from shared.azure import outside
from shared.azure.seen import OnlineDeployment, Reply
from shared.endpoints import chat, counting, line, patience, scoring, target
from shared.endpoints.refusals import ScoringError
from shared.errors import ConflictError, NotFoundError, TransientError
from shared.runs.identity import TAG_RUN
from shared.runs.records import Endpoint, Run, stamp

RUN, PLACE = "acme-0123456789", "acme-abcdef"
ANSWER = b'[{"0": "It is so."}]'


class World:
    """What the scoring path sees of storage and Azure ML, in memory; `replies` are given one after the other."""

    def __init__(self) -> None:
        self.memory: dict[str, Any] = {}
        self.blobs = self.queue = self.online = self.inference = self
        self.stored: dict[str, bytes] = {}
        self.replies: list[Reply | Callable[[], Reply]] = []
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.keys, self.sent, self.reads = 0, 0, 0
        self.standing = [OnlineDeployment("r-0123456789-1", "succeeded", {TAG_RUN: RUN})]
        self.down = False

    def read(self, container: str, path: str, most: int | None) -> tuple[bytes, str]:
        self.reads += 1
        if self.down:
            raise TransientError("the storage is down", status=503)
        if path not in self.stored:
            raise NotFoundError(f"there is no {container}/{path}")
        return self.stored[path], str(hash(self.stored[path]))

    def write(
        self,
        container: str,
        path: str,
        data: bytes,
        *,
        if_match: str | None = None,
        create: bool = False,
        content_type: str = "",
    ) -> str:
        known = self.stored.get(path)
        if (create and known is not None) or (if_match and (known is None or str(hash(known)) != if_match)):
            raise ConflictError(f"somebody else wrote {path}", status=412)
        self.stored[path] = data
        return str(hash(data))

    def send(self, body: str, delay: float) -> None:
        self.sent += 1

    def key(self, endpoint: str) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def deployment(self, endpoint: str, name: str) -> OnlineDeployment | None:
        return OnlineDeployment(name, "succeeded", at_once=3)

    def deployments(self, endpoint: str) -> list[OnlineDeployment]:
        return self.standing

    async def ask(self, uri: str, key: str, body: bytes, deployment: str = "") -> Reply:
        self.asked.append((key, json.loads(body)["input_data"]["parameters"], deployment))
        await asyncio.sleep(0)
        reply = self.replies.pop(0) if self.replies else Reply(200, {}, ANSWER)
        return reply() if callable(reply) else reply

    def record(self, **change: Any) -> None:
        endpoint = Endpoint(
            id="acme",
            name="acme",
            state="awake",
            endpoint_name=PLACE,
            run=RUN,
            deployment="r-0123456789-1",
            model_id="m",
            wake_seconds=4.0,
        )
        for name, value in change.items():
            setattr(endpoint, name, value)
        self.stored["acme.json"] = msgspec.json.encode(endpoint)

    def endpoint(self) -> Endpoint:
        return msgspec.json.decode(self.stored["acme.json"], type=Endpoint)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made, before = World(), outside.outside()
    made.record()
    run = Run(id=RUN, name="acme", state="live", base_model={"name": "tiny-random-chat"})
    made.stored[f"{RUN}.json"] = msgspec.json.encode(run)
    fake: Any = made
    outside.use(fake)
    monkeypatch.setattr(scoring.usage, "note", lambda name, probe=False: None)
    access._CACHE.clear()
    rates._HELD.clear()
    yield made
    outside.use(before)
    access._CACHE.clear()
    rates._HELD.clear()


def _ask(**change: Any) -> Any:
    asked = {"model": "acme", "messages": [{"role": "user", "content": "hi"}], "temperature": 0, **change}
    request = chat.openai.parse(json.dumps(asked).encode())
    return json.loads(asyncio.run(chat.complete(request)).body)


def _refused(call: Callable[[], Any]) -> ScoringError:
    with pytest.raises(ScoringError) as caught:
        call()
    return caught.value


def test_a_refused_key_is_fetched_again_once(world: World) -> None:
    world.replies = [Reply(401), Reply(200, {}, ANSWER)]
    assert _ask()["choices"][0]["message"]["content"] == "It is so."
    assert [key for key, _, _ in world.asked] == ["key-1", "key-2"]
    world.replies = [Reply(401), Reply(401)]
    assert _refused(_ask).code == "endpoint_refused"


def test_what_a_server_does_not_understand_is_left_out_and_remembered(world: World) -> None:
    world.replies = [Reply(424, {"ms-azureml-model-error-statuscode": "500"}), Reply(200, {}, b'["so. END more"]')]
    answer = _ask(seed=1, stop=["END"])["choices"][0]
    assert (answer["message"]["content"], answer["finish_reason"]) == ("so. ", "stop")
    assert [sorted({"seed", "stop"} & sent.keys()) for _, sent, _ in world.asked] == [["seed", "stop"], []]
    _ask(seed=1)
    assert "seed" not in world.asked[-1][1] and len(world.asked) == 3


def test_a_question_that_fails_anyway_leaves_the_server_trusted_with_seeds(world: World) -> None:
    world.replies = [Reply(424), Reply(424)]
    assert _refused(lambda: _ask(seed=1)).code == "model_failed"
    _ask(seed=1)
    assert "seed" in world.asked[-1][1]


def test_several_answers_are_asked_for_with_a_seed_each_and_a_greedy_one_only_once(world: World) -> None:
    assert len(_ask(n=3, temperature=1, seed=5)["choices"]) == 3
    assert [sent["seed"] for _, sent, _ in world.asked] == [5, 6, 7]
    assert len(_ask(n=3)["choices"]) == 3
    assert len(world.asked) == 4


def test_the_deployments_own_counts_are_told_where_it_gives_them(world: World) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 7}
    told = json.dumps({"output": "so", "finish_reason": "length", "usage": usage}).encode()
    world.replies = [Reply(200, {}, told)]
    request = chat.openai.parse(json.dumps({"model": "acme", "messages": [{"role": "user", "content": "hi"}]}).encode())
    found = asyncio.run(chat.complete(request))
    answer = json.loads(found.body)
    assert answer["usage"] == {**usage, "total_tokens": 18}
    assert (answer["choices"][0]["finish_reason"], found.headers["x-droptune-usage"]) == ("length", "counted")
    assert found.headers["x-droptune-finish-reason"] == "known"


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"output": null, "error": {}}', b"<html>"])
def test_a_200_without_a_text_is_a_failure(world: World, body: bytes) -> None:
    world.replies = [Reply(200, {}, body)]
    assert (_refused(_ask).status, _refused(lambda: None or _ask_raw(world, body)).code) == (502, "empty_answer")


def _ask_raw(world: World, body: bytes) -> None:
    from shared.endpoints import raw

    world.replies = [Reply(200, {}, body)]
    asked = {"input_data": {"input_string": [{"role": "user", "content": "x"}], "parameters": {}}}
    asyncio.run(raw.score("acme", json.dumps(asked).encode()))


def test_the_live_run_may_be_pinned_and_another_that_stands_too(world: World) -> None:
    world.standing.append(OnlineDeployment("r-9999999999-1", "succeeded", {TAG_RUN: "acme-9999999999"}))
    for pinned, deployment in ((RUN, "r-0123456789-1"), ("9999999999", "r-9999999999-1")):
        _ask(model=f"acme@{pinned}")
        assert world.asked[-1][2] == deployment
    _ask()
    assert world.asked[-1][2] == "", "without a pin the endpoint's traffic decides"


def test_a_run_without_a_deployment_says_why(world: World) -> None:
    assert _refused(lambda: _ask(model="acme@acme-5555555555")).code == "model_not_found"
    gone = Run(id="acme-7777777777", name="acme", state="superseded")
    world.stored["acme-7777777777.json"] = msgspec.json.encode(gone)
    error = _refused(lambda: _ask(model="acme@7777777777"))
    assert (error.status, error.code) == (404, "model_version_not_deployed")
    world.record(deploying="acme-7777777777")
    world.memory.clear()
    error = _refused(lambda: _ask(model="acme@7777777777"))
    assert (error.status, error.code, error.headers["Retry-After"]) == (503, "model_deploying", "30")


def test_what_is_surely_too_long_never_reaches_the_gpu(world: World) -> None:
    error = _refused(lambda: _ask(messages=[{"role": "user", "content": "word " * 5000}]))
    assert (error.status, error.code, error.field) == (400, "context_length_exceeded", "messages")
    assert _refused(lambda: _ask(max_tokens=2049)).field == "max_tokens"
    assert world.asked == []
    _ask(messages=[{"role": "user", "content": "word " * 1000}])
    assert world.asked[0][1]["max_new_tokens"] == chat.openai.MAX_TOKENS


def test_a_sleeping_model_is_woken_once_and_its_callers_told_when_to_come_back(world: World) -> None:
    world.record(state="asleep")

    async def many() -> list[Any]:
        asked = (scoring.put(scoring.Question("acme", b"{}")) for _ in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(many())
    assert {(error.status, error.code, error.headers["Retry-After"]) for error in found} == {(503, "model_asleep", "4")}
    assert (world.endpoint().wake_wanted, world.sent) == (True, 1)
    assert world.reads <= 4, "whoever asks at the same time, the record is read once"


def test_a_model_that_wakes_for_minutes_is_not_waited_for_by_openais_client(world: World) -> None:
    world.record(state="asleep", wake_seconds=900.0)
    error = _refused(_ask)
    assert (error.headers["Retry-After"], error.headers["x-should-retry"], error.hold) == ("900", "false", 0)


def test_what_is_left_of_waking_is_told() -> None:
    def seconds(state: str, before: float, ago: float) -> int:
        since = stamp(clock.now() - timedelta(seconds=ago)) if ago else ""
        record = Endpoint(id="a", name="a", state=state, endpoint_name="a", wake_seconds=before, waking_since=since)
        return target.wake_seconds(record)

    assert seconds("asleep", 0, 0) == target.WAKE_GUESS_SECONDS
    assert seconds("asleep", 600, 0) == 600
    assert 179 <= seconds("waking", 600, 420) <= 180
    assert 249 <= seconds("waking", 600, 1000) <= 251, "later than ever before: a quarter of what it took so far"


def test_who_prefers_to_wait_is_answered_when_the_model_is_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.05)
    world.record(state="asleep", wake_seconds=900.0)

    async def wakes_meanwhile(wait: float | None) -> bytes:
        asked = asyncio.create_task(
            patience.answered(scoring.Question("acme", b'{"input_data":{"parameters":{}}}'), wait)
        )
        await asyncio.sleep(0.12)
        world.record()
        return await asked

    assert asyncio.run(wakes_meanwhile(5)) == ANSWER
    for wait in (None, 0.0):
        world.record(state="asleep", wake_seconds=900.0)
        world.memory.clear()
        assert _refused(lambda wait=wait: asyncio.run(wakes_meanwhile(wait))).code == "model_asleep"  # type: ignore[misc]


def test_who_comes_shortly_before_a_model_is_up_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.05)
    world.record(state="waking", waking_since=stamp(clock.now()))

    async def wakes_meanwhile() -> bytes:
        asked = asyncio.create_task(
            patience.answered(scoring.Question("acme", b'{"input_data":{"parameters":{}}}'), None)
        )
        await asyncio.sleep(0.1)
        world.record()
        return await asked

    assert asyncio.run(wakes_meanwhile()) == ANSWER


def test_a_busy_endpoint_is_asked_again_for_a_while(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.replies = [Reply(429, {"Retry-After": "1"}), Reply(200, {}, ANSWER)]
    assert _ask()["choices"]
    monkeypatch.setattr(scoring, "HOLD_BUSY", 0.0)
    world.replies = [Reply(429, {"Retry-After": "9"})]
    error = _refused(_ask)
    assert (error.status, error.headers["Retry-After"]) == (429, "9")


def test_a_storage_that_is_down_is_a_503_that_says_when(world: World) -> None:
    world.down = True
    error = _refused(lambda: asyncio.run(scoring.ask("acme", b"{}")))
    assert (error.status, error.code, error.headers["Retry-After"]) == (503, "service_unavailable", "5")


def test_names_that_no_model_can_have_are_never_looked_for(world: World) -> None:
    for name in ("../keys/x", "acme/use/host", "", "a" * 64):
        assert _refused(lambda name=name: asyncio.run(scoring.ask(name, b"{}"))).code == "model_not_found"  # type: ignore[misc]
    assert world.reads == 0


def test_a_line_never_lets_more_through_than_the_deployment_takes(world: World) -> None:
    running, most = 0, 0

    async def counted(*_: Any) -> Reply:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1
        return Reply(200, {}, ANSWER)

    world.ask = counted  # type: ignore[method-assign]

    async def many() -> list[Any]:
        return await asyncio.gather(*(scoring.ask("acme", b"{}") for _ in range(60)))

    assert asyncio.run(many()) == [ANSWER] * 60
    assert most == 6, "twice the three that it answers at once"


def test_who_would_wait_too_long_hears_429_at_once() -> None:
    async def run() -> None:
        full = line.Line()
        full.seconds = 20.0
        for _ in range(2):
            await full.enter()
        waiting = [asyncio.create_task(full.enter()) for _ in range(6)]
        await asyncio.sleep(0)
        with pytest.raises(ScoringError) as caught:
            await full.enter()
        assert (caught.value.status, caught.value.hold) == (429, 0)
        assert 1 <= int(caught.value.headers["Retry-After"]) <= 60
        for task in waiting:
            task.cancel()

    asyncio.run(run())


@settings(deadline=None)
@given(st.lists(st.sampled_from(["enter", "leave", "cancel", "widen"]), max_size=40))
def test_a_line_loses_no_place_whoever_gives_up(moves: list[str]) -> None:
    async def run() -> None:
        one, tasks = line.Line(), list[asyncio.Task[None]]()
        inside = 0
        for move in moves:
            done = [task for task in tasks if task.done()]
            if move == "enter":
                tasks.append(asyncio.create_task(one.enter()))
            elif move == "leave" and done:
                tasks.remove(done[0])
                one.leave(clock.monotonic())
            elif move == "cancel" and (open_ := [task for task in tasks if not task.done()]):
                open_[0].cancel()
                tasks.remove(open_[0])
            elif move == "widen":
                one.widen(3)
            for _ in range(3):
                await asyncio.sleep(0)
            inside = len([task for task in tasks if task.done()])
            assert inside <= one.slots
            assert inside == one.slots or all(task.done() for task in tasks), "a free place and somebody who waits"
        for task in tasks:
            task.cancel()

    asyncio.run(run())


def test_a_key_may_be_limited_to_models_and_to_questions_a_minute(world: World) -> None:
    key = access.make_key(world_store(world), frozenset({"score"}), "k", models=["acme"], per_minute=3)
    body = json.dumps({"model": "acme", "messages": [{"role": "user", "content": "x"}]}).encode()

    def ask(headers: dict[str, str], sent: bytes = body) -> Any:
        return asyncio.run(chat.answer(headers, {}, sent))

    mine = {"Authorization": f"Bearer {key}"}
    for _ in range(3):
        assert ask(mine).body
    error = _refused(lambda: ask(mine))
    assert (error.status, error.code) == (429, "rate_limit_exceeded") and 1 <= int(error.headers["Retry-After"]) <= 60
    other = body.replace(b"acme", b"beta")
    assert _refused(lambda: ask(mine, other)).code == "model_not_allowed"
    assert _refused(lambda: ask({}, body)).status == 401
    assert _refused(lambda: ask(mine, b"x" * (scoring.MAX_BODY + 1))).status == 413


def world_store(world: World) -> Any:
    from shared.azure.blobs import Container

    return Container("access")


@given(st.integers(1, 40), st.lists(st.integers(0, 2), max_size=120))
def test_instances_together_never_give_out_more_than_a_minute_has(limit: int, turns: list[int]) -> None:
    store: Any = _Shared()
    held: list[dict[str, rates.Taken]] = [{}, {}, {}]
    given_out = 0
    for instance in turns:
        rates._HELD.clear()
        rates._HELD.update(held[instance])
        given_out += rates.take(store, "k", limit) == 0
        held[instance] = dict(rates._HELD)
    rates._HELD.clear()
    assert given_out <= limit * 2, "a minute may end in the middle of this test"
    if len(turns) >= limit and len(set(turns)) == 1:
        assert given_out >= limit


class _Shared:
    """One blob container for all instances."""

    def __init__(self) -> None:
        self.blobs: dict[str, tuple[bytes, str]] = {}

    def read(self, path: str) -> tuple[bytes, str]:
        if path not in self.blobs:
            raise NotFoundError(path)
        return self.blobs[path]

    def write(self, path: str, data: bytes, *, if_match: str | None = None, create: bool = False) -> str:
        if (create and path in self.blobs) or (if_match and self.blobs[path][1] != if_match):
            raise ConflictError(path)
        self.blobs[path] = (data, str(len(self.blobs) + int(self.blobs.get(path, (b"", "0"))[1]) + 1))
        return self.blobs[path][1]


@given(st.text(max_size=3000))
def test_a_long_text_is_estimated_by_its_ends_and_never_below_nothing(text: str) -> None:
    lengths = counting.Lengths("Phi-3-mini-4k-instruct")
    assert lengths.context == 4096
    assert 0 <= lengths.surely(lengths.of_text(text)) <= lengths.of_text(text)
    assert counting.Lengths("").room(10**9, None, 512) == 512, "a context that is not known refuses nothing"
