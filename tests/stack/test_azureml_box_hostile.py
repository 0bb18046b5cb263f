"""No request, however odd, makes the emulator break: every route is called with bodies, names and queries of all kinds.

A 5xx is a bug but for 501, which names what is not implemented. FUZZ=50 asks for fifty times as many examples as run here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from lone_emulator import lone
from route_samples import BODIES, KEY
from route_schema import REGISTRY, Call, calls, document, newest
from schemathesis import Case, GenerationMode

from azureml_box.alone.emulator import Emulator

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("ignore")]

TIMES = int(os.environ.get("FUZZ", "1"))
CALLS = calls()
DEEP = "[" * 100_000 + "]" * 100_000
RAW = {
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "a list": b"[1]",
    "a text": b'"x"',
    "null": b"null",
    "NUL": b'{"properties": {"tags": {"a\\u0000b": "\\u0000"}, "description": "\\u0000"}}',
    "half a surrogate pair": b'{"properties": {"description": "\\ud800"}, "name": "\\ud800", "key": "\\ud800"}',
    "no finite number": b'{"properties": {"x": NaN, "y": Infinity, "z": 1e999}, "value": NaN, "timestamp": 1e999}',
    "deep": f'{{"properties": {DEEP}}}'.encode(),
    "a long text": json.dumps({"properties": {"description": "x" * 1_000_000}}).encode(),
    "a text for an object": b'{"properties": "x", "tags": 5, "identity": [], "sku": "x", "location": 7}',
    "a list for an object": b'{"properties": [1], "tags": [1], "identity": "x", "sku": [], "only": 5, "values": 5}',
    "odd properties": b'{"properties": {"properties": 5, "tags": [1], "componentSpec": 7, "inputs": 3, "traffic": 1}}',
    "an empty object": b"{}",
}
ODD: tuple[Any, ...] = (
    5,
    "x",
    [],
    {},
    None,
    True,
    -1,
    1e308,
    [None],
    [{}],
    {"a": None},
    {"type": 5},
    "azureml:x",
    "PT1",
)
ODD += ("azureml://datastores/a/paths/b", "${{inputs.x}}", "${{parent.inputs.x}}", "9" * 400, "\x00")
# Samples that come too early or too late: what they name is not there, or is busy for as long as deployments are held back.
NOT_TAKEN = {
    "PUT {REG}/codes/{name}/versions/{version}": 409,  # a component without code has made that one
    "PATCH {WS}/onlineEndpoints/{endpoint}/deployments/{deployment}": 409,
    "POST /endpoints/{endpoint}/score": 404,
}


class Client:
    """One connection with tokens; jobs and deployments are held back, so that nothing of what is sent is run."""

    def __init__(self, emulator: Emulator) -> None:
        self.url, self.session = emulator.url, requests.Session()
        self.session.verify, self.session.trust_env = str(emulator.authority), False
        control, token = emulator._token, emulator.environment["MLFLOW_TRACKING_TOKEN"]
        self._tokens = {"/_emulator/": control, "/endpoints/": KEY, "/": token}
        self._log = emulator.home / "azureml.log"
        self.files = f"{emulator._account.url}/azureml-blobstore-{emulator._workspace_id}"

    def headers(self, path: str) -> dict[str, str]:
        """The token that a path wants."""
        token = next(token for start, token in self._tokens.items() if path.startswith(start))
        return {"Authorization": f"Bearer {token}"}

    def send(self, call: Call, body: bytes) -> requests.Response:
        """One call; it fails the test where the emulator breaks."""
        url, headers = self.url + call.filled(), {**self.headers(call.path), "Content-Type": "application/json"}
        query = {"api-version": version} if (version := newest(call)) else {}
        answer = self.session.request(call.verb, url, params=query, data=body, headers=headers, timeout=30)
        return self.held(answer, f"{call.verb} {call.short} with {body[:300]!r}")

    def held(self, answer: requests.Response, asked: str) -> requests.Response:
        """Looks at the status."""
        broken = answer.status_code >= 500 and answer.status_code != 501
        assert not broken, f"{asked}: {answer.status_code} {answer.text[:300]}\n{self._log.read_text()[-1500:]}"
        return answer


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An emulator that has one resource of each kind."""
    home = tmp_path_factory.mktemp("hostile")
    (home / "registry").mkdir()
    held = ["--provisioning=jobs=manual", "--provisioning=deployments=manual"]
    with lone(home, f"--registry={REGISTRY}={home / 'registry'}", *held) as emulator:
        yield Client(emulator)


def called(verb: str, short: str) -> Call:
    """The call of a sample; what stands behind # is the name in its path."""
    plain, _, name = short.partition("#")
    call = next(call for call in CALLS if (call.verb, call.short) == (verb, plain))
    return replace(call, path=call.path.replace("{name}", name)) if name else call


@pytest.fixture(scope="module")
def made(client: Client) -> dict[str, int]:
    """One of everything, and what each call answered."""
    secrets = called("POST", "{WS}/datastores/{name}/listSecrets#workspaceblobstore")
    token = client.send(secrets, b"").json()["sasToken"]
    address, kind = f"{client.files}/sample/file.txt?{token}", {"x-ms-blob-type": "BlockBlob"}
    assert client.session.put(address, b"1", headers=kind, timeout=30).status_code == 201
    return {
        f"{verb} {short}": client.send(called(verb, short), json.dumps(body).encode()).status_code
        for (verb, short), body in BODIES.items()
    }


def test_the_samples_are_taken(made: dict[str, int]) -> None:
    assert {name: status for name, status in made.items() if status >= 300} == NOT_TAKEN


def test_bodies_that_are_none_are_refused(client: Client, made: dict[str, int]) -> None:
    taking = [call for call in CALLS if call.verb in ("PUT", "POST", "PATCH")]
    assert len(taking) > 50
    for call in taking:
        for body in RAW.values():
            client.send(call, body)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all parts of a body."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from nodes(part, (*path, key))


def with_odd(body: dict[str, Any], path: tuple[Any, ...], odd: Any) -> bytes:
    """The body with another value in one place."""
    doc = json.loads(json.dumps(body))
    place = doc
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return json.dumps(doc).encode()


def test_any_part_of_a_body_may_be_odd(client: Client, made: dict[str, int]) -> None:
    """Of what is there already, and of what is new; each place gets a few of the odd values, another few the next one."""
    sent, few = 0, min(4 * TIMES, len(ODD))
    for (verb, short), body in BODIES.items():
        again = called(verb, short)
        last = re.sub(r"\{(name|endpoint|deployment)\}(?!.*\{(name|endpoint|deployment)\})", "{new}", again.path)
        for number, path in enumerate(nodes(body)):
            for step in range(few):
                odd = with_odd(body, path, ODD[(number * few + step) % len(ODD)])
                client.send(again, odd)
                if verb == "PUT":
                    client.send(replace(again, path=last.replace("{new}", f"n{sent}")), odd)
                sent += 1
    assert sent > 1000


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_route_bears_what_schemathesis_makes_of_it(client: Client, made: dict[str, int], mode: Any) -> None:
    reached = set()

    def bear(case: Case) -> None:
        arguments = case.as_transport_kwargs(base_url=client.url, headers=client.headers(case.path))
        answer = client.session.request(**{"timeout": 30, **arguments, "allow_redirects": False})
        client.held(answer, f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}")
        reached.add((case.method, case.path))

    schema = schemathesis.openapi.from_dict(document(CALLS))
    for found in schema.get_all_operations():
        strategy = found.ok().as_strategy(generation_mode=mode)
        hypothesis(bear, strategy)
    assert reached == {(call.verb, call.path) for call in CALLS}


def hypothesis(bear: Any, strategy: Any) -> None:
    """A few examples, the same ones in each run."""
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=3 * TIMES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=slow,
    )
    chosen(given(strategy)(bear))()
