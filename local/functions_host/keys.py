"""The host's keys: master, the default function key, and Event Grid's system key.

Source: https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request


@dataclass(frozen=True)
class Keys:
    """The keys this host takes; an empty one opens nothing."""

    master: str = ""
    default: str = ""
    eventgrid: str = ""

    def __repr__(self) -> str:
        return "Keys(…)"

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "Keys":
        """Read them from the environment."""
        names = ("FUNCTIONS_MASTER_KEY", "FUNCTIONS_DEFAULT_KEY", "FUNCTIONS_EVENTGRID_KEY")
        return cls(*(settings.get(name, "") for name in names))

    def opens_admin(self, request: Request) -> bool:
        """Tell whether the request carries the master key."""
        return _is_any(request, self.master)

    def opens_eventgrid(self, request: Request) -> bool:
        """Tell whether the request may deliver events."""
        return _is_any(request, self.master, self.eventgrid)

    def opens(self, level: str, request: Request) -> bool:
        """Tell whether the request may call a function of the level ANONYMOUS, FUNCTION or ADMIN."""
        if level == "ANONYMOUS":
            return True
        return self.opens_admin(request) if level == "ADMIN" else _is_any(request, self.master, self.default)


def _is_any(request: Request, *keys: str) -> bool:
    """The header x-functions-key beats ?code=, as in Azure."""
    given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
    return any(key and hmac.compare_digest(given.encode(), key.encode()) for key in keys)
