"""One line of the doctor: what was looked at, how it is, and the command that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from shared import clock
from shared.errors import DroptuneError, TransientError

OK, WARNING, WRONG = "ok", "warning", "wrong"
AGAIN = "wait a minute, then: droptune doctor"
LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Finding:
    """What a check found; `mend` is a command, or a sentence where no command does it. `seconds`: how long it took."""

    name: str
    status: str
    told: str
    mend: str = ""
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        seconds = round(self.seconds, 2)
        return {
            "name": self.name,
            "status": self.status,
            "told": self.told,
            "mend": self.mend,
            "seconds": seconds,
        }


Look = Callable[[], str | Finding]
Check = tuple[str, Look, str]  # its name, what is done, and the mend for an error that brings none


def ok(name: str, told: str) -> Finding:
    """All is well."""
    return Finding(name, OK, told)


def warning(name: str, told: str, mend: str) -> Finding:
    """It works, and a person should know."""
    return Finding(name, WARNING, told, mend)


def wrong(name: str, told: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(name, WRONG, told, mend)


def examined(name: str, look: Look, mend: str = "", seconds: float = LIMIT_SECONDS) -> Finding:
    """What a look gives, or the finding that its error or its silence is.

    `mend` is for errors that bring none; a look that has not ended after so many `seconds` is left to itself.
    """
    began = clock.monotonic()
    answers: list[Finding] = []
    asker = Thread(target=lambda: answers.append(_looked(name, look, mend)), daemon=True)
    asker.start()
    asker.join(seconds)
    found = answers[0] if answers else wrong(name, f"no answer within {seconds:.0f} s", mend or AGAIN)
    return replace(found, seconds=clock.monotonic() - began)


def together(checks: Iterable[Check]) -> list[Finding]:
    """What several find, asked all at once; in their order."""
    listed = list(checks)
    with ThreadPoolExecutor(max(1, len(listed))) as askers:
        return list(askers.map(lambda check: examined(*check), listed))


def _looked(name: str, look: Look, mend: str) -> Finding:
    try:
        found = look()
    except TransientError as error:
        return wrong(name, f"cannot be reached: {error.reason}", mend or AGAIN)
    except DroptuneError as error:
        return wrong(name, error.reason, error.fix or mend)
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others found
        return wrong(name, f"{type(error).__name__}: {_first_line(error)}", mend)
    return ok(name, found) if isinstance(found, str) else found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
