"""Names, traffic and mirror rules of managed online endpoints, and the choice of a deployment.

Sources: the limits page of Azure ML (how-to-manage-quotas), ARM's onlineendpointproperties.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from azureml_box.errors import BadRequest

_NAME = re.compile(r"[a-zA-Z](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_SHORTEST, _LONGEST = 3, 32
_MIRROR_LIMIT = 50


def check_name(what: str, name: str) -> None:
    """Raise BadRequest unless `name` may be an endpoint's or a deployment's."""
    if not (_SHORTEST <= len(name) <= _LONGEST and _NAME.fullmatch(name)):
        raise BadRequest(
            f"The {what} name {name!r} is invalid. It must be {_SHORTEST} to {_LONGEST} characters long, begin with a "
            "letter, and consist of letters, digits and '-', the last not at the end.",
            "BadArgument",
            "name",
        )


def check_traffic(traffic: Mapping[str, object], deployments: Collection[str]) -> None:
    """Traffic is either off (no positive share) or sums to 100 over existing deployments."""
    total = _check_shares("traffic", traffic, deployments)
    if total not in (0, 100):
        raise BadRequest(f"The traffic percentages need to sum to 0 or 100, not {total}.", "BadArgument", "traffic")


def check_mirror(mirror: Mapping[str, object], traffic: Mapping[str, int], deployments: Collection[str]) -> None:
    """One deployment may be mirrored to, with at most 50 %, and only one that takes no live traffic."""
    total = _check_shares("mirrorTraffic", mirror, deployments)
    active = [name for name, share in mirror.items() if share]
    if total > _MIRROR_LIMIT or len(active) > 1:
        message = f"Mirror traffic goes to one deployment with at most {_MIRROR_LIMIT} %, not {dict(mirror)}."
        raise BadRequest(message, "BadArgument", "mirrorTraffic")
    for name in active:
        if traffic.get(name):
            message = f"Deployment {name!r} cannot have both live and mirror traffic."
            raise BadRequest(message, "BadArgument", "mirrorTraffic")


def _check_shares(what: str, shares: Mapping[str, object], deployments: Collection[str]) -> int:
    total = 0
    for name, share in shares.items():
        if name not in deployments:
            known = ", ".join(sorted(deployments)) or "none"
            message = f"The deployment {name!r} in {what} does not exist. Existing deployments: {known}."
            raise BadRequest(message, "BadArgument", what)
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
            message = f"The share of {name!r} in {what} must be a whole number from 0 to 100, not {share!r}."
            raise BadRequest(message, "BadArgument", what)
        total += share
    return total


def choose(traffic: Mapping[str, int], point: float) -> str | None:
    """The deployment at `point` (0 <= point < 1) of the traffic's line; None where nothing has a positive share."""
    total = sum(traffic.values())
    position = point * total
    for name, share in traffic.items():
        if share > 0 and position < share:
            return name
        position -= share
    return None


def mirrored(mirror: Mapping[str, int], point: float) -> str | None:
    """The deployment that gets a copy of this request, if any."""
    position = point * 100
    return next((name for name, share in mirror.items() if position < share), None)
