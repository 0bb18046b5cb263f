"""Names, traffic, keys, metrics and billing of online endpoints: rules without processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from azureml_box.errors import BadRequest
from azureml_box.serving import billing, keys
from azureml_box.serving.launch import limits, seconds
from azureml_box.serving.metrics import EndpointMetrics, points
from azureml_box.serving.names import check_mirror, check_name, check_traffic, choose, mirrored
from azureml_box.serving.scorer import BadInputError, model_input
from azureml_box.store import Store

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("name", ["abc", "a-1", "A" * 32, "chat-2026"])
def test_a_name_of_letters_digits_and_dashes_is_taken(name: str) -> None:
    check_name("endpoint", name)


@pytest.mark.parametrize("name", ["ab", "a" * 33, "1ab", "ab-", "a_b", "a.b", "abc\n", ""])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="is invalid"):
        check_name("endpoint", name)


@pytest.mark.parametrize("traffic", [{}, {"one": 0}, {"one": 100}, {"one": 30, "two": 70}])
def test_traffic_is_off_or_sums_to_100(traffic: dict[str, int]) -> None:
    check_traffic(traffic, ["one", "two"])


@pytest.mark.parametrize(
    "traffic", [{"one": 50}, {"one": 101}, {"one": -1, "two": 101}, {"none": 100}, {"one": "100"}, {"one": True}]
)
def test_other_traffic_is_refused(traffic: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        check_traffic(traffic, ["one", "two"])


def test_half_of_the_traffic_at_most_is_mirrored_and_never_to_a_live_deployment() -> None:
    check_mirror({"two": 50}, {"one": 100}, ["one", "two"])
    for mirror in ({"two": 51}, {"one": 10}, {"one": 10, "two": 10}):
        with pytest.raises(BadRequest):
            check_mirror(mirror, {"one": 100}, ["one", "two"])


def test_each_deployment_gets_its_share_of_the_line() -> None:
    traffic = {"one": 30, "zero": 0, "two": 70}
    chosen = [choose(traffic, step / 100) for step in range(100)]
    assert (chosen.count("one"), chosen.count("two"), chosen.count("zero")) == (30, 70, 0)
    assert choose({"one": 0}, 0.0) is None
    assert choose({}, 0.5) is None


def test_the_mirror_gets_its_share_of_all_requests() -> None:
    assert sum(mirrored({"two": 20}, step / 100) == "two" for step in range(100)) == 20
    assert mirrored({"two": 0}, 0.0) is None


def test_a_minute_without_requests_has_no_point(tmp_path: Path) -> None:
    metrics = EndpointMetrics(Store(tmp_path / "db"))
    for _ in range(3):
        metrics.record("chat", "one", 200, 10.0, NOON)
    metrics.record("chat", "two", 424, 40.0, NOON + 2 * MINUTE)
    found = metrics.samples("chat", NOON - 5 * MINUTE, NOON + 5 * MINUTE)
    series = points(found, "RequestsPerMinute", NOON - 5 * MINUTE, MINUTE)
    assert [(point["timeStamp"][11:16], point["average"]) for point in series] == [("12:00", 3), ("12:02", 1)]
    assert [p["average"] for p in points(found, "RequestLatency", NOON, MINUTE)] == [10.0, 40.0]
    assert metrics.samples("other", NOON - MINUTE, NOON + MINUTE) == []
    assert metrics.samples("chat", NOON + 3 * MINUTE, NOON + 5 * MINUTE) == []


def test_longer_intervals_average_the_minutes_that_have_points(tmp_path: Path) -> None:
    metrics = EndpointMetrics(Store(tmp_path / "db"))
    for moment, count in ((NOON, 2), (NOON + MINUTE, 4), (NOON + 6 * MINUTE, 9)):
        for _ in range(count):
            metrics.record("chat", "one", 200, 1.0, moment)
    found = metrics.samples("chat", NOON, NOON + 10 * MINUTE)
    series = points(found, "RequestsPerMinute", NOON, timedelta(minutes=5))
    assert [(p["average"], p["total"]) for p in series] == [(3, 6), (9, 9)]


def test_counts_survive_a_restart_and_old_ones_are_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    before = EndpointMetrics(store)
    before.record("chat", "one", 200, 1.0, NOON)
    before.record("chat", "one", 200, 1.0, NOON - timedelta(days=94))
    before.flush()
    after = EndpointMetrics(store)
    after.load(NOON)
    after.record("chat", "one", 200, 1.0, NOON)
    found = after.samples("chat", NOON - timedelta(days=200), NOON + MINUTE)
    assert [sample.requests for sample in found] == [2]


def test_billed_seconds_count_instances_and_end_with_the_deployment(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    billing.begin(store, "chat", "one", "Standard_DS3_v2", 2)
    billing.begin(store, "chat", "one", "Standard_DS3_v2", 2)
    (row,) = store.list(billing.KIND)
    assert billing.seconds(row, datetime.fromisoformat(row["from"]) + timedelta(seconds=10)) == 20
    billing.begin(store, "chat", "one", "Standard_DS3_v2", 3)
    assert [row["to"] is None for row in store.list(billing.KIND)][-1] is True
    billing.end(store, "chat", "one")
    assert all(row["to"] for row in store.list(billing.KIND))
    store.put("jobs", "j", {"name": "j", "_billed_seconds": 7})
    assert billing.report(store)["compute"] == [{"job": "j", "seconds": 7}]


def test_only_its_own_keys_and_tokens_open_an_endpoint() -> None:
    mine, other = keys.new_secrets(), keys.new_secrets()
    assert keys.key_fits(mine, mine["primary"])
    assert keys.key_fits(mine, mine["secondary"])
    assert not keys.key_fits(mine, other["primary"])
    assert not keys.key_fits(mine, "ключ")
    token = keys.token(mine)["accessToken"]
    assert keys.token_fits(mine, token)
    assert not keys.token_fits(other, token)
    assert not keys.token_fits(mine, "1." + token.partition(".")[2])
    assert not keys.token_fits(mine, "")


def test_regenerating_changes_the_named_key_alone() -> None:
    old = keys.new_secrets()
    new = keys.regenerated(old, {"keyType": "Primary"})
    assert new["primary"] != old["primary"]
    assert new["secondary"] == old["secondary"]
    with pytest.raises(BadRequest):
        keys.regenerated(old, {"keyType": "Third"})


def test_durations_and_limits_are_read_as_azure_writes_them() -> None:
    assert [seconds(text, 9) for text in ("PT1M30S", "PT90S", "PT0.5S", "P1DT1H", None, "soon")] == [
        90,
        90,
        0.5,
        90000,
        9,
        9,
    ]
    found = limits({"requestSettings": {"requestTimeout": "PT1M30S", "maxConcurrentRequestsPerInstance": 4}}, 2)
    assert (found["request_timeout"], found["concurrency"]) == (90, 8)


def test_a_models_input_is_a_table_where_it_is_split_or_the_signature_has_columns() -> None:
    split = {"columns": ["a", "b"], "index": [7], "data": [[1, 2]]}
    assert model_input(split, []).to_dict("index") == {7: {"a": 1, "b": 2}}
    assert model_input([[1, 2], [3, 4]], ["a", "b"]).to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert model_input([[1, 2]], []) == [[1, 2]]
    chat = {"input_string": [], "parameters": {}}
    assert model_input(chat, ["input_string"]) is chat
    with pytest.raises(BadInputError, match="no table"):
        model_input({"columns": ["a"], "data": [[1, 2]]}, [])
