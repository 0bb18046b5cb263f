"""Which droptune a command talks to: the environment's, else a running box's."""

from __future__ import annotations

import os
from pathlib import Path

from shared.errors import TransientError


def use(home: str) -> None:
    """Completes this process's environment from a running box where it names no function app.

    Raises:
        TransientError: neither is there.
    """
    if os.environ.get("DROPTUNE_URL"):
        return
    from local.box import control

    if not control.is_up(Path(home)):
        raise TransientError(
            "no function app is named by DROPTUNE_URL, and no box is up in " + home,
            "start one with `droptune box up`, or set the environment of yours",
        )
    os.environ.update(control.environment(Path(home)))
