"""How long something may take, as it stands in a limit."""

from __future__ import annotations

import re
from typing import Any

from azureml_box.errors import BadRequest

_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(limit: Any) -> float:
    """Seconds of a limit: a number, or ISO 8601 as the SDK sends it (`PT3600S`, `PT1H30M`).

    Raises:
        BadRequest: it is neither.
    """
    text = str(limit)
    if match := _ISO.fullmatch(text):
        days, hours, minutes, rest = (float(part or 0) for part in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + rest
    try:
        return float(text)
    except ValueError:
        raise BadRequest(f"{text!r} is no duration.", target="limits.timeout") from None
