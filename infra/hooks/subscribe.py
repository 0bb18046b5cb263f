"""After `azd deploy`: waits until the functions are there, then makes the Event Grid subscriptions that call them."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from infra.hooks.az import AzError, az, listed, say, setting

INFRA = Path(__file__).resolve().parents[1]
WEB_API = "2024-04-01"
WAIT_SECONDS, PAUSE_SECONDS = 300.0, 10.0
TRIES = 3  # Event Grid asks the function, and writes to the dead letters: a cold app or a fresh role may fail at first


def functions() -> list[str]:
    """The functions that the subscriptions call."""
    wanted = json.loads((INFRA / "subscriptions.json").read_text(encoding="utf-8"))
    return sorted({one["function"] for topic in wanted.values() for one in topic})


def missing(app: str) -> list[str]:
    """Which of them the app does not list yet."""
    there = {str(one["name"]).rsplit("/", 1)[-1] for one in listed(f"{app}/functions", WEB_API)}
    return [name for name in functions() if name not in there]


def wait(app: str, seconds: float, pause: float) -> None:
    """Returns when all functions are there.

    Raises:
        AzError: some are missing after so many seconds.
    """
    ends = time.monotonic() + seconds
    while absent := missing(app):
        if time.monotonic() > ends:
            told = "its log says why: az functionapp log tail, or Application Insights, traces"
            raise AzError(f"the app has no function {', '.join(absent)} after {seconds:.0f} s; {told}")
        say(f"waiting for {', '.join(absent)}")
        time.sleep(pause)


def subscribe(app: str) -> None:
    """Makes or changes the subscriptions; one that is there as wanted stays as it is."""
    az(
        *("deployment", "group", "create"),
        *("--subscription", setting("AZURE_SUBSCRIPTION_ID"), "--resource-group", setting("AZURE_RESOURCE_GROUP")),
        *("--name", "droptune-events", "--template-file", str(INFRA / "events.bicep"), "--parameters"),
        f"appId={app}",
        f"storageTopicName={setting('DROPTUNE_STORAGE_TOPIC')}",
        f"workspaceTopicName={setting('DROPTUNE_WORKSPACE_TOPIC')}",
        f"storageId={setting('DROPTUNE_STORAGE_ID')}",
    )


def persist(app: str, pause: float, tries: int = TRIES) -> None:
    """The same, tried again where Event Grid was not yet served.

    Raises:
        AzError: it failed so many times.
    """
    for left in reversed(range(tries)):
        try:
            subscribe(app)
            break
        except AzError as error:
            if not left:
                raise
            say(f"once more: {error}")
            time.sleep(pause * 3)


def main(seconds: float = WAIT_SECONDS, pause: float = PAUSE_SECONDS) -> int:
    """Wait, subscribe, and say so; 1 where it failed."""
    try:
        app = setting("DROPTUNE_APP_ID")
        wait(app, seconds, pause)
        persist(app, pause)
    except AzError as error:
        say(f"droptune: the events are not subscribed to: {error}\nmend it, then: azd hooks run postdeploy")
        return 1
    say(f"droptune: events call {', '.join(functions())}. Next: droptune doctor, then drop a file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
