"""The table of Azure's fields against the SDK's models, and names and limits as properties."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.ai.ml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml_box.contract import check, generate, limits
from azureml_box.contract.roots import named, shape
from azureml_box.errors import ArmError, BadRequest
from azureml_box.registry_routes import _NAME as REGISTRY
from azureml_box.serving.names import check_mirror, check_name, check_traffic

WS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
SIGNS = st.text(st.sampled_from("abzABZ019-_.: /é\n"), max_size=40)
SDK = Path(azure.ai.ml.__file__).parent / "_restclient"


def taken(kind: str, *names: str) -> bool:
    try:
        limits.check_name(kind, list(names))
    except BadRequest as error:
        assert error.target == "name"
        return False
    return True


def test_the_table_has_all_that_the_installed_sdk_has() -> None:
    types: dict[str, Any] = {}
    enums: dict[str, list[str]] = {}
    queries: dict[str, list[str]] = {}
    for source in generate._modules([SDK], "models/_models.py"):
        generate.read_models(source, types)
    for source in generate._modules([SDK], "*_enums.py"):
        generate.read_enums(source, enums)
    for source in generate._modules([SDK], "operations/*operations.py"):
        generate.read_queries(source, queries)
    found, kept = generate.table(types, enums), check.contract()
    assert len(found["types"]) > 150 and len(queries) > 150
    for name, entry in found["types"].items():
        assert set(entry["fields"]) <= set(kept["types"][name]["fields"]), name
    for name, values in found["enums"].items():
        assert set(values) <= set(kept["enums"][name]), name
    for name, parameters in queries.items():
        assert set(parameters) <= set(kept["queries"][name]), name


@pytest.mark.parametrize(
    ("path", "shaped", "name"),
    [
        (f"{WS}/models/jobs/versions/versions", "models/*/versions/*", ("models", ["jobs", "versions"])),
        (f"{WS}/onlineEndpoints/e/deployments/d/getLogs", "onlineEndpoints/*/deployments/*/getLogs", ("onlineEndpoints", ["e", "d"])),
        (WS, "", ("", [])),
    ],
)  # fmt: skip
def test_names_are_told_from_fixed_segments_by_their_place(path: str, shaped: str, name: Any) -> None:
    assert shape(path) == ("workspaces", shaped)
    assert named(path) == name


@given(SIGNS)
def test_assets_are_named_as_azure_names_them(name: str) -> None:
    expected = (
        0 < len(name) <= 255
        and all(sign in "abzABZ019-_." for sign in name)
        and name[0] not in "-_."
        and name[-1] != "."
    )
    assert {taken(kind, name) for kind in ("models", "components", "environments", "data", "codes")} == {expected}


@given(SIGNS)
def test_jobs_schedules_and_datastores_have_no_dots(name: str) -> None:
    expected = bool(name) and all(sign in "abzABZ019-_" for sign in name) and name[0] not in "-_"
    assert {taken(kind, name) for kind in ("jobs", "schedules", "datastores")} == {expected}
    assert taken("models", "Phi-3.5-mini-instruct") and not taken("jobs", "j.1")
    assert taken("jobs", "j" * 255) and not taken("jobs", "j" * 256)


@given(SIGNS)
def test_endpoints_and_registries_have_narrower_names(name: str) -> None:
    try:
        check_name("endpoint", name)
        fits = True
    except BadRequest:
        fits = False
    plain = all(sign in "abzABZ019-" for sign in name)
    assert fits == (3 <= len(name) <= 32 and plain and name[0].isalpha() and name[-1] != "-")
    known = all(sign in "abzABZ019-_" for sign in name)
    assert bool(REGISTRY.fullmatch(name)) == (3 <= len(name) <= 33 and known and name[0] not in "-_")


@given(st.dictionaries(st.sampled_from("abc"), st.integers(-1, 101), max_size=3))
def test_traffic_and_mirror_are_taken_exactly_where_azure_takes_them(shares: dict[str, int]) -> None:
    whole, total = all(0 <= share <= 100 for share in shares.values()), sum(shares.values())
    used = [share for share in shares.values() if share]
    for rule, fits in (
        (lambda: check_traffic(shares, "abc"), whole and total in (0, 100)),
        (lambda: check_mirror(shares, {}, "abc"), whole and total <= 50 and len(used) <= 1),
    ):
        try:
            rule()
            assert fits
        except BadRequest as error:
            assert not fits and error.code == "BadArgument"


@given(st.integers(0, 60), st.integers(90, 110), st.integers(990, 1010))
def test_a_job_has_fifty_tags_of_a_hundred_and_a_thousand_characters(count: int, key: int, value: int) -> None:
    tags = {f"{number}".rjust(key, "k"): "v" * value for number in range(count)}
    fits = count <= 50 and (not count or (key <= 100 and value <= 1000))
    for part in ("tags", "properties"):
        try:
            limits.check("jobs", ["j"], {"properties": {part: tags}})
            assert fits
        except BadRequest as error:
            assert not fits and error.target == f"properties.{part}"


def test_a_subtype_is_told_by_its_field_and_without_it_every_subtype_counts() -> None:
    box = SimpleNamespace(loose=False, unsupported=Counter())
    look = check._Check(box, "datastores/*")  # type: ignore[arg-type]
    look.model("Datastore", {"properties": {"datastoreType": "azureblob", "containerName": "c"}}, "")
    look.model("Datastore", {"properties": {"containerName": "c", "fileShareName": "f"}}, "")
    with pytest.raises(ArmError, match=re.escape("properties.fileShareName")):
        look.model("Datastore", {"properties": {"datastoreType": "AzureBlob", "fileShareName": "f"}}, "")
    with pytest.raises(BadRequest, match=r"properties\.datastoreType"):
        look.model("Datastore", {"properties": {"datastoreType": "Tape"}}, "")
    box.loose = True
    look.model("Datastore", {"colour": 1, "properties": {"datastoreType": "Tape", "what": 1}}, "")
    assert sum(box.unsupported.values()) == 3
