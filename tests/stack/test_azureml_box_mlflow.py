"""MLflow's REST API over HTTPS: runs that only track, searches, experiments, limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emulator_rig import WORKSPACE, Rig

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("mlflow"))
    try:
        rig.start()
        yield rig
    finally:
        rig.close()


def call(rig: Rig, path: str, **sent: Any) -> Any:
    """One call; GET for what MLflow only reads."""
    reading = path.endswith(("get", "get-by-name", "get-history"))
    query = "?" + "&".join(f"{key}={value}" for key, value in sent.items()) if reading else ""
    url = f"/mlflow/v2.0{WORKSPACE}/api/2.0/mlflow/{path}{query}"
    status, answer = rig.ask("GET" if reading else "POST", url, None if reading else sent)
    return answer if status == 200 else (status, answer["error_code"], answer["message"])


@pytest.fixture(scope="module")
def runs(rig: Rig) -> list[str]:
    """Four runs of one experiment: loss 0 to 3, the last one failed."""
    call(rig, "experiments/create", name="trees")
    made = []
    for number in range(4):
        run = call(rig, "runs/create", experiment_id="trees", run_name=f"run {number}", start_time=1000 + number)
        name = run["run"]["info"]["run_id"]
        call(
            rig,
            "runs/log-batch",
            run_id=name,
            metrics=[{"key": "loss", "value": 9.0, "step": 0}, {"key": "loss", "value": float(number), "step": 1}],
            params=[{"key": "depth", "value": str(number % 2)}],
            tags=[{"key": "kind", "value": "oak"}],
        )
        call(rig, "runs/update", run_id=name, status="FAILED" if number == 3 else "FINISHED", end_time=5000)
        made.append(name)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [3, 2, 1, 0]),
        ("metrics.loss >= 2", [3, 2]),
        ("params.depth = '1' and tags.kind = 'oak'", [3, 1]),
        ("attributes.status = 'FINISHED' and metrics.loss > 0", [2, 1]),
        ("attributes.start_time < 1002", [1, 0]),
        ("attributes.run_name LIKE '% 2'", [2]),
    ],
)
def test_a_search_finds_the_runs_that_its_filter_describes(
    rig: Rig, runs: list[str], text: str, found: list[int]
) -> None:
    answer = call(rig, "runs/search", experiment_ids=["trees"], filter=text)
    assert [runs.index(run["info"]["run_id"]) for run in answer["runs"]] == found
    assert "next_page_token" not in answer


def test_a_search_is_ordered_and_paged(rig: Rig, runs: list[str]) -> None:
    asked = {"experiment_ids": ["trees"], "order_by": ["params.depth DESC", "metrics.loss ASC"], "max_results": 3}
    first = call(rig, "runs/search", **asked)
    second = call(rig, "runs/search", **asked, page_token=first["next_page_token"])
    names = [run["info"]["run_id"] for run in (*first["runs"], *second["runs"])]
    assert [runs.index(name) for name in names] == [1, 3, 0, 2]
    assert "next_page_token" not in second


def test_a_deleted_run_is_seen_only_where_deleted_ones_are_asked_for(rig: Rig, runs: list[str]) -> None:
    def seen(view: str) -> int:
        return len(call(rig, "runs/search", experiment_ids=["trees"], run_view_type=view)["runs"])

    call(rig, "runs/delete", run_id=runs[0])
    assert [seen(view) for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")] == [3, 1, 4]
    call(rig, "runs/restore", run_id=runs[0])
    assert seen("ACTIVE_ONLY") == 4


def test_what_a_search_cannot_mean_is_refused_in_mlflows_envelope(rig: Rig) -> None:
    for sent in ({"filter": "loss < 1"}, {"max_results": 99999}, {"run_view_type": "SOME"}, {"order_by": ["x.y"]}):
        assert call(rig, "runs/search", **sent)[:2] == (400, "INVALID_PARAMETER_VALUE"), sent


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("runs/search", {"experiment_ids": "trees"}),
        ("runs/search", {"order_by": [1]}),
        ("runs/search", {"max_results": "many"}),
        ("runs/create", {"tags": "red"}),
        ("runs/create", {"start_time": "soon"}),
        ("runs/log-batch", {"metrics": {"a": 1}}),
        ("runs/log-batch", {"params": [1]}),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": "soon"}),
        ("experiments/create", {"name": "shape", "tags": [1]}),
    ],
)
def test_a_call_of_another_shape_is_refused_and_breaks_nothing(
    rig: Rig, runs: list[str], path: str, sent: dict[str, Any]
) -> None:
    assert call(rig, path, run_id=runs[0], **sent)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_experiments_are_made_found_and_searched(rig: Rig, runs: list[str]) -> None:
    assert call(rig, "experiments/create", name="trees")[:2] == (400, "RESOURCE_ALREADY_EXISTS")
    call(rig, "experiments/create", name="flowers", tags=[{"key": "colour", "value": "red"}])
    assert call(rig, "experiments/get", experiment_id="trees")["experiment"]["name"] == "trees"
    assert call(rig, "experiments/get-by-name", experiment_name="flowers")["experiment"]["experiment_id"] == "flowers"
    assert call(rig, "experiments/get-by-name", experiment_name="gone")[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    for text, names in (
        ("", ["flowers", "trees"]),
        ("name LIKE 'tr%'", ["trees"]),
        ("tags.colour = 'red'", ["flowers"]),
    ):
        found = call(rig, "experiments/search", filter=text, order_by=["name ASC"])["experiments"]
        assert [one["name"] for one in found] == names
    first = call(rig, "experiments/search", max_results=1, order_by=["name"])
    assert [one["name"] for one in first["experiments"]] == ["flowers"] and first["next_page_token"]


@pytest.mark.parametrize(
    "sent",
    [
        {"metrics": [{"key": "m", "value": 1.0}] * 1001},
        {"params": [{"key": f"p{n}", "value": "1"} for n in range(101)]},
        {"tags": [{"key": f"t{n}", "value": "1"} for n in range(101)]},
        {"metrics": [{"key": "m", "value": 1.0}] * 950, "tags": [{"key": f"t{n}", "value": "1"} for n in range(51)]},
        {"params": [{"key": "k" * 251, "value": "1"}]},
        {"params": [{"key": "k", "value": "v" * 6001}]},
        {"params": [{"key": "depth", "value": "another"}]},
        {"metrics": [{"key": "m", "value": "much"}]},
        {"metrics": [{"value": 1.0}]},
    ],
)
def test_a_batch_over_mlflows_limits_is_refused_as_a_whole(rig: Rig, runs: list[str], sent: dict[str, Any]) -> None:
    before = call(rig, "runs/get", run_id=runs[0])
    both = {"tags": [{"key": "sneaked", "value": "in"}], **sent}
    assert call(rig, "runs/log-batch", run_id=runs[0], **both)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert call(rig, "runs/get", run_id=runs[0]) == before
