"""Errors of a step: StepError, whose text is what the user sees in the run."""

from __future__ import annotations

import sys
from collections.abc import Callable


class StepError(Exception):
    """A step cannot go on; the message says what is wrong, where, and how to mend it."""


def run_step(main: Callable[[], None]) -> None:
    """Run a step's main; a StepError ends the process with status 1 and its message as the last line."""
    try:
        main()
    except StepError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
