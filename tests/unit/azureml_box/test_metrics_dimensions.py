"""Azure Monitor's `$filter` at an endpoint: by deployment, by status, or by both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from azureml_box.errors import BadRequest
from azureml_box.serving.metrics import Sample
from azureml_box.serving.metrics_routes import _split

MINUTE = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLES = [
    Sample(MINUTE, "blue", "200", 7, 70.0),
    Sample(MINUTE, "blue", "424", 1, 10.0),
    Sample(MINUTE, "green", "200", 2, 20.0),
]


def told(text: str | None) -> list[tuple[dict[str, str], int]]:
    """The dimensions of each series, and its requests."""
    return [
        ({label["name"]["value"]: label["value"] for label in labels}, sum(sample.requests for sample in inside))
        for labels, inside in _split(SAMPLES, text)
    ]


def test_series_are_split_by_one_dimension_or_two() -> None:
    assert told(None) == [({}, 10)]
    assert told("deployment eq '*'") == [({"deployment": "blue"}, 8), ({"deployment": "green"}, 2)]
    assert told("deployment eq 'blue' and statusCode eq '*'") == [
        ({"deployment": "blue", "statuscode": "200"}, 7),
        ({"deployment": "blue", "statuscode": "424"}, 1),
    ]
    assert len(told("deployment eq '*' AND statusCode eq '*'")) == 3


@pytest.mark.parametrize("text", ["deployment ne 'blue'", "size eq 'x'", "deployment eq 'a' or statusCode eq '*'"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="not understood"):
        _split(SAMPLES, text)
