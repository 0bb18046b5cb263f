"""The emulator held against recordings of the real service: statuses, headers, names and kinds of fields, an error's codes.

The facts and where they stand: fixtures/recorded.yaml. Every difference is either mended or explained there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lone_emulator import Session, lone

pytestmark = pytest.mark.stack
FACTS = yaml.safe_load((Path(__file__).parent / "fixtures" / "recorded.yaml").read_text(encoding="utf-8"))
KINDS = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number", type(None): "null"}


def flat(doc: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(path, what is there) of all parts, a list's by their numbers."""
    parts = doc.items() if isinstance(doc, dict) else enumerate(doc) if isinstance(doc, list) else ()
    for key, part in parts:
        yield f"{place}{key}", part
        yield from flat(part, f"{place}{key}.")
    if isinstance(doc, list):
        yield f"{place}length", len(doc)


def differences(fact: dict[str, Any], answer: Any) -> dict[str, str]:
    """Where an answer is not as recorded, by the path of the field."""
    found, seen = {}, dict(flat(answer))
    for path, kind in flat(fact["fields"]):
        wanted = "object" if isinstance(kind, dict) else kind or "null"
        if any(path.startswith(f"{parent}.") for parent in found):
            continue
        if path not in seen:
            found[path] = f"lacks, recorded as {wanted}"
        elif KINDS[type(seen[path])] != wanted:
            found[path] = f"is {KINDS[type(seen[path])]}, recorded as {wanted}"
    return found | {
        path: f"is {seen.get(path)!r}, recorded as {value!r}"
        for path, value in fact.get("same", {}).items()
        if seen.get(path) != value
    }


def filled(part: Any, names: dict[str, str]) -> Any:
    """A call with the emulator's names put in."""
    if isinstance(part, str):
        for name, value in names.items():
            part = part.replace(name, value)
        return part
    if isinstance(part, dict):
        return {key: filled(value, names) for key, value in part.items()}
    return [filled(one, names) for one in part] if isinstance(part, list) else part


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All calls, one after the other; each answer by the fact's name."""
    with lone(tmp_path_factory.mktemp("recorded")) as emulator:
        session = Session(emulator)
        base = "azureml://datastores/workspaceblobstore/paths/recorded"
        names = {"{WS}": emulator.scope, "{FILE}": f"{base}/file", "{LOCATION}": "eastus", "{POLL}": ""}
        names["{FOLDER}"] = upload(session, emulator.scope)
        found = {}
        for fact in FACTS:
            verb, path, version, *query = filled(fact["call"], names)
            asked = {"api-version": version} if version else {}
            answer = session.ask(verb, path, filled(fact.get("body"), names), **asked, **(query[0] if query else {}))
            found[fact["name"]] = answer
            if poll := answer.headers.get("Azure-AsyncOperation"):
                names["{POLL}"] = poll.removeprefix(emulator.url)
        return found


def upload(session: Session, scope: str) -> str:
    """One small file for the assets; the address of its folder."""
    store = f"{scope}/datastores/workspaceblobstore"
    version = {"api-version": "2024-10-01"}
    account = session.ask("GET", store, **version).json()["properties"]
    sas = session.ask("POST", f"{store}/listSecrets", **version).json()["sasToken"]
    folder = f"https://{account['endpoint'].partition('@')[2]}/{account['containerName']}/recorded"
    headers = {"x-ms-blob-type": "BlockBlob", "Authorization": None}
    assert session.put(f"{folder}/file?{sas}", b"1", headers=headers, timeout=30).status_code == 201
    return folder


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["name"])
def test_an_answer_is_as_recorded_or_the_difference_is_explained(fact: dict[str, Any], answers: dict[str, Any]) -> None:
    answer = answers[fact["name"]]
    assert answer.status_code == fact["status"], answer.text
    assert [name for name in fact.get("headers", []) if name not in answer.headers] == []
    doc = answer.json() if fact["fields"] else {}
    found, explained = differences(fact, doc), fact.get("differs", {})
    unexplained = [f"{path} {words}" for path, words in found.items() if path not in explained]
    assert not unexplained, "; ".join(unexplained)
    assert set(explained) <= set(found), "what is explained does not differ any more"
