"""Cron expressions as Azure ML reads them: minutes, hours and days of the week; days and months are ignored.

Source: learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job ("DAYS and MONTH are not supported. If you pass a
value, it will be ignored and treat as `*`"); NCrontab's grammar of five fields.
"""

from __future__ import annotations

import re
from datetime import datetime

from cronsim import CronSim, CronSimError

from azureml_box.errors import BadRequest

# cronsim reads more than NCrontab: Quartz's and Debian's extras.
_EXTRAS = re.compile(r"[#?LW]", re.IGNORECASE)
_NAMES = re.compile(r"MON|TUE|WED|THU|FRI|SAT|SUN", re.IGNORECASE)


def checked(expression: str) -> str:
    """Return the expression with its days and months as Azure takes them.

    Raises:
        BadRequest: it is none.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise _wrong(expression, "it must have five fields, MINUTES HOURS DAYS MONTHS DAYS-OF-WEEK")
    kept = [fields[0], fields[1], "*", "*", fields[4]]
    if any(_EXTRAS.search(_NAMES.sub("", field)) for field in kept):
        raise _wrong(expression, "NCrontab has no #, ?, L and W")
    try:
        CronSim(" ".join(kept), datetime(2026, 1, 1))
    except CronSimError as error:
        raise _wrong(expression, str(error).lower()) from None
    return " ".join(kept)


def next_after(expression: str, moment: datetime) -> datetime | None:
    """Return the first firing later than a moment, in that moment's zone."""
    return next(CronSim(expression, moment), None)


def _wrong(expression: str, why: str) -> BadRequest:
    where = "properties.trigger.expression"
    return BadRequest(f"The cron expression {expression!r} is not valid: {why}.", target=where)
