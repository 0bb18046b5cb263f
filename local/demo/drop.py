"""Drop the example and follow its run to a live model, through the command line's own functions."""

from __future__ import annotations

from typing import Any

from cli import api, follow
from cli.drop import settle, upload
from local.demo import screen
from local.demo.errors import DemoError
from local.demo.questions import CONFIG, DATASET, NAME

LIVE = ("live", "asleep")
AGAIN = ("failed", "refused", "cancelled")


def drop() -> dict[str, Any]:
    """Return the run that made the model live.

    Raises:
        DemoError: it ended otherwise.
    """
    path, etag = upload(DATASET, NAME, CONFIG)
    screen.line(f"dropped examples/{DATASET.name} as datasets/{path}; from here on the functions do it")
    run = settle(path, etag, NAME, True)
    if run["dataset"].get("etag") != etag:
        screen.line(
            "the same content was dropped before: this upload is a duplicate, and points to the run that exists"
        )
    if run["state"] in AGAIN:
        screen.line(f"that run is {run['state']} ({run['reason']}): a new attempt")
        run = _retried(str(run["id"]))
    if run["state"] not in LIVE:
        raise DemoError(
            f"the run {run['id']} ended as {run['state']}: {run['reason'] or 'no reason given'}",
            run["fix"] or f"droptune runs show {run['id']}; droptune box logs; `droptune box reset` begins anew",
        )
    _assert_whole(run)
    return run


def _retried(identity: str) -> dict[str, Any]:
    api.call("POST", "runs", identity, "retry")
    return follow.show(follow.watch(follow.by_id(identity)))


def _assert_whole(run: dict[str, Any]) -> None:
    """Each state must have been passed through, and the loss must have fallen."""
    passed = [moment["state"] for moment in run["timeline"]]
    wanted = ("received", "validated", "submitted", "trained", "registered", "deploying", "live")
    if skipped := [state for state in wanted if state not in passed]:
        raise DemoError(f"the timeline of {run['id']} lacks {', '.join(skipped)}", f"droptune runs show {run['id']}")
    losses = [value for _, value in run["metrics"].get("curves", {}).get("loss", [])]
    if len(losses) < 2 or losses[-1] >= losses[0]:
        raise DemoError(f"the loss did not fall: {losses[:1]} → {losses[-1:]}", f"droptune runs show {run['id']}")
    screen.good(f"run {run['id']} is live; loss {losses[0]:.2f} {follow.sparkline(losses)} {losses[-1]:.2f}")
