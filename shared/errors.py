"""What can go wrong, as one tree; each error says what, where, and how to mend it.

DroptuneError
├── SettingsError          a setting of the operator is wrong
├── UserError              what the dropper wrote is wrong (droptune.toml, a name, a request)
├── UnreadableError        a record of ours is broken, or of a newer droptune
├── ServiceError           an Azure service refused or could not be reached
│   ├── TransientError     passes by itself: try again later (429, 5xx, time-outs)
│   ├── NotFoundError      404
│   ├── ConflictError      409, 412: somebody else was there first
│   │   └── LostRaceError  a record of ours was written by another since it was read
│   ├── DeniedError        401, 403: a role is missing
│   ├── NotReadyError      what was made does not answer yet: tried for a while, then told
│   └── RejectedError      400 and other permanent refusals
└── ForeignResourceError   a resource bears our name but not our tag: never touched
"""

from __future__ import annotations


class DroptuneError(Exception):
    """Something that a person can be told: `reason` says what and where, `fix` how to mend it."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class SettingsError(DroptuneError):
    """A setting in the environment is missing or wrong."""


class UserError(DroptuneError):
    """What the dropper or caller wrote is wrong; `field` names the place."""

    def __init__(self, reason: str, fix: str = "", field: str | None = None) -> None:
        super().__init__(reason, fix)
        self.field = field


class UnreadableError(DroptuneError):
    """A record cannot be read: it is no JSON of a known schema."""


class ServiceError(DroptuneError):
    """An Azure service refused a call or could not be reached."""

    def __init__(self, reason: str, fix: str = "", status: int | None = None) -> None:
        super().__init__(reason, fix)
        self.status = status


class TransientError(ServiceError):
    """Passes by itself; `retry_after` (seconds) is what the service asked for, if it did."""

    retry_after: float | None = None


class NotFoundError(ServiceError):
    """There is no such thing."""


class ConflictError(ServiceError):
    """Somebody else was there first, or an operation is in progress."""


class LostRaceError(ConflictError):
    """Somebody else wrote a record since it was read: what was decided from it is void; `subject` is its kind and id."""

    subject: tuple[str, str] = ("", "")


class DeniedError(ServiceError):
    """The identity lacks a role."""


class NotReadyError(ServiceError):
    """What was made does not answer yet, or not now: it is tried for a while, since it may bill meanwhile."""


class RejectedError(ServiceError):
    """A permanent refusal: the same call will fail again."""


class ForeignResourceError(DroptuneError):
    """A resource of our name belongs to somebody else."""
