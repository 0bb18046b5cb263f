"""How long an endpoint stays awake, as a user of the box lives it: a learnt window, hours, a hard end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from box_client import TINY, Box, rows, until

pytestmark = pytest.mark.e2e
CONFIGS = {
    "learns": '[deploy]\nidle_after = "auto"\n',
    "hours": '[deploy]\nidle_after = "3s"\nawake = "Mon-Fri 00:00-00:01 Europe/Berlin"\n',
    "ends": '[deploy]\ndelete_after = "40s"\n',
}


@pytest.fixture(scope="module")
def dropped(box: Box) -> dict[str, dict[str, Any]]:
    etags = {name: box.drop(f"{name}/chats.jsonl", rows(20, name), TINY + said) for name, said in CONFIGS.items()}
    return {name: box.settled(f"{name}/chats.jsonl", etag, 240) for name, etag in etags.items()}


def shown(box: Box, name: str) -> str:
    """What `droptune endpoints show` says, its details included."""
    told = box.command("endpoints", "show", name, "--home", str(box.home))
    assert told.returncode == 0, told.stderr
    return told.stdout + told.stderr


def endpoint(box: Box, name: str) -> dict[str, Any]:
    return dict(box.http("GET", f"endpoints/{name}").json())


def test_the_end_takes_the_endpoint_with_its_address_and_the_run_says_why(box: Box, dropped: dict[str, Any]) -> None:
    from shared.azure.outside import outside

    until(lambda: endpoint(box, "ends")["state"] == "absent", 150)
    assert all(one.name != dropped["ends"]["endpoint"]["name"] for one in outside().online.all())
    run = until(
        lambda: (row := box.http("GET", f"runs/{dropped['ends']['id']}").json())["state"] == "cancelled" and row
    )
    assert "delete_after" in run["reason"]
    assert any("endpoints keep ends" in moment.get("detail", "") for moment in endpoint(box, "ends")["timeline"])


def test_a_learnt_window_is_shown_with_its_reason_and_holds(box: Box, dropped: dict[str, Any]) -> None:
    assert "(auto): nothing is known of its pauses yet" in shown(box, "learns")
    idle = endpoint(box, "learns")["idle"]
    assert idle["policy"] == "auto"
    until(lambda: endpoint(box, "learns")["state"] == "asleep", idle["window_seconds"] + 60)
    assert box.http("POST", "endpoints/learns/wake").status_code == 202
    until(lambda: endpoint(box, "learns")["state"] == "awake")
    assert "of its last 1 pauses" in endpoint(box, "learns")["idle"]["reason"]


def test_keep_holds_off_the_sleep_and_a_bad_duration_is_told(box: Box, dropped: dict[str, Any]) -> None:
    kept = box.command("endpoints", "keep", "learns", "--for", "1h", "--home", str(box.home))
    assert kept.returncode == 0, kept.stderr
    found = endpoint(box, "learns")["idle"]
    assert found["sleeps_at"] >= found["kept_until"] > (datetime.now(UTC) + timedelta(minutes=50)).isoformat()
    refused = box.command("endpoints", "keep", "learns", "--for", "soon", "--home", str(box.home))
    assert refused.returncode != 0
    assert "'soon' is no duration" in refused.stderr


def test_hours_wake_it_at_their_beginning_and_keep_it_awake_though_nobody_asks(
    box: Box, dropped: dict[str, Any]
) -> None:
    from shared.runs import store, work

    until(lambda: endpoint(box, "hours")["state"] == "asleep")
    # Hours that begin in the next minute: nobody could write them before knowing when the model is ready.
    begins = datetime.now(UTC) + timedelta(minutes=1)
    loaded = store.load("endpoint", "hours")
    loaded.record.awake = f"{begins:%a %H:%M}-{begins + timedelta(minutes=9):%H:%M} UTC"
    loaded.record.wait()
    store.save(loaded)
    work.follow(loaded.record)
    until(lambda: endpoint(box, "hours")["state"] == "awake", 150)
    assert any(moment.get("detail") == "its hours began" for moment in endpoint(box, "hours")["timeline"])
    with pytest.raises(AssertionError, match="nothing within"):
        until(lambda: endpoint(box, "hours")["state"] != "awake", 15)
    assert "kept awake" in shown(box, "hours")
