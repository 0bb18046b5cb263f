"""Time zones by the names that Azure takes: those of Windows, and those of the IANA database.

Source: `TriggerBase.timeZone` of the ARM reference ("should follow Windows time zone format"), and .NET's TimeZoneInfo, which
takes both. The table of Windows's names is CLDR's, as `tzlocal` ships it.
"""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import win_tz

from azureml_box.errors import BadRequest

# Azure's list has two that Windows gave up and CLDR no longer names.
_GIVEN_UP = {"Mid-Atlantic Standard Time": "Etc/GMT+2", "Kamchatka Standard Time": "Asia/Kamchatka"}
_WINDOWS = {name.lower(): zone for name, zone in {**win_tz, **_GIVEN_UP}.items()}


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone; case does not count in Windows's names.

    Raises:
        BadRequest: there is no such zone.
    """
    try:
        return ZoneInfo(_WINDOWS.get(name.lower(), name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"The time zone {name!r} is not known; Windows's names (Pacific Standard Time) and IANA's are."
        raise BadRequest(message, target="properties.trigger.timeZone") from None
