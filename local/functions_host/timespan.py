"""Reads .NET's TimeSpan, as host.json and timer schedules write it: `[d.]hh:mm:ss[.fffffff]`.

Source: https://learn.microsoft.com/dotnet/standard/base-types/standard-timespan-format-strings
"""

import re
from datetime import timedelta

from local.functions_host.errors import HostConfigError

_FORM = re.compile(r"(?:(?P<d>\d+)\.)?(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,7}))?)?")


def is_timespan(text: str) -> bool:
    """Tell whether the text has a TimeSpan's form."""
    return _FORM.fullmatch(text.strip()) is not None


def parse_timespan(text: str) -> timedelta:
    """Return the duration; raise HostConfigError where the text is none.

    >>> parse_timespan("00:00:00.250")
    datetime.timedelta(microseconds=250000)
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise HostConfigError(f"{text!r} is no TimeSpan; write hh:mm:ss, such as 00:00:05")
    days, hours, minutes, seconds = (int(match[part] or 0) for part in "dhms")
    if hours > 23 or minutes > 59 or seconds > 59:
        raise HostConfigError(
            f"{text!r} is no TimeSpan: hours end at 23, minutes and seconds at 59; days are d.hh:mm:ss"
        )
    fraction = int((match["f"] or "0").ljust(7, "0")) // 10
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=fraction)
