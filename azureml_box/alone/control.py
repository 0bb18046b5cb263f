"""The control API from Python: faults, calls, provisioning, reset."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


class ControlError(Exception):
    """The emulator refused, in its own words."""


class Control:
    """A client of `/_emulator/…`; raises ControlError, and OSError where nobody answers."""

    def __init__(self, url: str, token: str, authority: Path) -> None:
        self._url, self._token = url, token
        self._context = ssl.create_default_context(cafile=str(authority))

    def add_fault(self, **fields: Any) -> dict[str, Any]:
        """Put a fault in force: `name`, or the fields of docs/emulator.md."""
        added: dict[str, Any] = self._ask(
            "POST", "faults", {key: value for key, value in fields.items() if value is not None}
        )
        return added

    def faults(self) -> dict[str, Any]:
        """Return `faults` in force with their counts, and the latest that `fired`."""
        found: dict[str, Any] = self._ask("GET", "faults")
        return found

    def clear_faults(self, identity: str | None = None) -> None:
        """Take one fault away, or all."""
        self._ask("DELETE", f"faults/{identity}" if identity else "faults")

    def calls(self, *, after: int = 0, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """Return the latest calls, oldest first."""
        found: list[dict[str, Any]] = self._ask(
            "GET", f"calls?{urlencode({'after': after, 'method': method, 'path': path})}"
        )["calls"]
        return found

    def provision(self, **modes: str | float) -> dict[str, Any]:
        """Set modes, as `jobs="manual"`, and `timeScale`; return all."""
        found: dict[str, Any] = self._ask("POST", "provisioning", modes)
        return found

    def advance(self, kind: str | None = None, name: str | None = None) -> list[dict[str, str]]:
        """Let what waits go on; return what that was."""
        chosen = {key: value for key, value in (("kind", kind), ("name", name)) if value is not None}
        found: list[dict[str, str]] = self._ask("POST", "advance", chosen)["advanced"]
        return found

    def clock(self) -> dict[str, Any]:
        """Return `now`, by which schedules fire, and how far that is ahead of this machine's clock (`aheadSeconds`)."""
        found: dict[str, Any] = self._ask("GET", "clock")
        return found

    def pass_time(self, *, seconds: float | None = None, to: str | None = None) -> dict[str, Any]:
        """Let `seconds` pass for schedules, or go to the moment `to` (ISO 8601); `fired` names the jobs that came due."""
        chosen = {key: value for key, value in (("seconds", seconds), ("to", to)) if value is not None}
        found: dict[str, Any] = self._ask("POST", "clock", chosen)
        return found

    def unsupported(self) -> list[dict[str, Any]]:
        """Return the calls that the emulator has no answer for, with their counts."""
        found: list[dict[str, Any]] = self._ask("GET", "unsupported")["unsupported"]
        return found

    def reset(self, *only: str) -> None:
        """Forget all, or some of faults, calls, provisioning, unsupported, state."""
        self._ask("POST", "reset", {"only": list(only)} if only else {})

    def snapshots(self) -> list[dict[str, Any]]:
        """Return all snapshots."""
        found: list[dict[str, Any]] = self._ask("GET", "snapshots")["snapshots"]
        return found

    def snapshot(self, name: str) -> dict[str, Any]:
        """Keep the whole state under a name."""
        made: dict[str, Any] = self._ask("POST", f"snapshots/{name}", {})
        return made

    def restore(self, name: str) -> None:
        """Go back to a snapshot."""
        self._ask("POST", f"snapshots/{name}/restore", {})

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot."""
        self._ask("DELETE", f"snapshots/{name}")

    def _ask(self, method: str, path: str, sent: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = json.dumps(sent).encode() if sent is not None else None
        request = urllib.request.Request(f"{self._url}/_emulator/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ControlError(_message(error)) from None
        return json.loads(text) if text else None


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the emulator answered {error.code}"
