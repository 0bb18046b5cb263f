"""What a dropper may ask for in `[deploy]`, within what the operator allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.config import parse
from shared.lifecycle import patience
from shared.runs.records import Endpoint, stamp
from shared.settings import AUTO, settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def endpoint(**fields: object) -> Endpoint:
    made = {"learns": True, "idle_after": 10_800.0, "awake_since": stamp(NOON), **fields}
    return Endpoint(id="a", name="a", state="awake", endpoint_name="a-1", **made)  # type: ignore[arg-type]


def minutes(*after: int) -> list[str]:
    return [(NOON + timedelta(minutes=one)).strftime("%Y-%m-%dT%H:%M") for one in after]


@pytest.mark.parametrize(
    ("own", "operator", "learns", "seconds"),
    [
        (None, 1800.0, False, 1800.0),
        (None, AUTO, True, 10_800.0),
        (None, 0.0, False, 0.0),
        ("auto", 1800.0, True, 1800.0),
        ("auto", 0.0, True, 10_800.0),
        ("auto", AUTO, True, 10_800.0),
        ("10m", 1800.0, False, 600.0),
        ("2h", 1800.0, False, 1800.0),
        ("2d", AUTO, False, 10_800.0),
        ("2d", 0.0, False, 172_800.0),
        ("0", 1800.0, False, 1800.0),
        ("0", 0.0, False, 0.0),
        ("0", AUTO, True, 10_800.0),
    ],
)
def test_the_operators_window_is_a_ceiling_and_never_is_his_to_allow(
    own: str | None, operator: float, learns: bool, seconds: float
) -> None:
    assert patience.resolve(own, operator) == (learns, seconds)


@pytest.mark.parametrize(
    ("line", "told", "mend"),
    [
        ('idle_after = "soon"', "deploy.idle_after: 'soon' is no duration", "write auto"),
        ('awake = "Mon-Fri 08:00-18:00"', "deploy.awake: .* names no time zone", "write hours as in"),
        ('delete_after = "0"', "deploy.delete_after: an endpoint that ends at once", "leave it out"),
        ('delete_after = "1 month"', "deploy.delete_after: '1 month' is no duration", "30d"),
    ],
)
def test_an_error_names_the_line_the_field_and_the_mend(line: str, told: str, mend: str) -> None:
    _, found = parse(f"[deploy]\ninstance_type = 'X'\n{line}\n".encode())
    assert len(found) == 1
    assert found[0].line == 3
    assert found[0].field == f"deploy.{line.split()[0]}"
    assert mend in found[0].fix
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(found[0].message)


def test_what_is_written_well_is_taken() -> None:
    text = b'[deploy]\nidle_after = "auto"\nawake = "Mon-Fri 08:00-18:00 Europe/Berlin"\ndelete_after = "30d"\n'
    config, found = parse(text)
    assert not found
    assert not patience.refused(config, text)
    assert config.deploy.delete_after == "30d"


def test_more_hours_than_the_operator_allows_are_refused_with_their_line() -> None:
    text = b'[deploy]\nawake = "Mon-Sun 00:00-24:00 UTC"\n'
    config, _ = parse(text)
    (found,) = patience.refused(config, text)
    assert (found.line, found.field) == (2, "deploy.awake")
    assert "168 hours a week, and the operator allows 60" in found.message


def test_pauses_are_counted_between_minutes_of_use_once_the_metrics_have_come() -> None:
    record = endpoint()
    late = NOON + timedelta(minutes=63)
    assert patience.learn(record, minutes(1, 2, 3, 20, 60), late)
    assert record.pauses.total == pytest.approx(1.0)  # 3 to 20; the use at 60 may not be the last that is known
    assert record.pauses.seen == stamp(NOON + timedelta(minutes=20))
    patience.learn(record, minutes(20, 60), late + timedelta(minutes=30))
    assert record.pauses.total == pytest.approx(1.98)


@given(st.lists(st.integers(1, 300), max_size=60), st.lists(st.integers(0, 310), max_size=5))
def test_looking_often_learns_what_looking_once_learns(used: list[int], looks: list[int]) -> None:
    end = NOON + timedelta(minutes=310)
    once, often = endpoint(), endpoint()
    patience.learn(once, minutes(*used), end)
    for look in sorted(looks):
        patience.learn(often, minutes(*(one for one in used if one <= look)), NOON + timedelta(minutes=look))
    patience.learn(often, minutes(*used), end)
    assert often.pauses == once.pauses


def test_the_window_is_never_shorter_than_what_can_be_seen() -> None:
    record = endpoint(wake_seconds=5.0)
    assert patience.window(record).seconds == pytest.approx(settings().metrics_lag + 1)
    assert patience.waits(record) > 0


def test_an_endpoint_of_an_older_droptune_keeps_the_operators_window() -> None:
    record = Endpoint(id="a", name="a", state="awake", endpoint_name="a-1")
    choice = patience.window(record)
    assert (choice.seconds, choice.reason) == (settings().idle_after, "a fixed window")
