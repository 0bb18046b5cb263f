"""How long a job may last, and how often a run may be tried: rules over numbers, and their words."""

from __future__ import annotations

from datetime import datetime, timedelta


def outlived(submitted_at: datetime, now: datetime, limit: float) -> bool:
    """Whether a job that was submitted then has lasted longer than `limit` seconds; 0: there is no limit.

    >>> from datetime import UTC
    >>> outlived(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC), 86400)
    True
    """
    return limit > 0 and now - submitted_at > timedelta(seconds=limit)


def too_long(job: str, limit: float) -> tuple[str, str]:
    """Reason and mend of a job that was cancelled for its time.

    >>> too_long("j", 5400)[0]
    'the job j had not ended 1.5 hours after it was submitted and was cancelled'
    """
    return (
        f"the job {job} had not ended {_words(limit)} after it was submitted and was cancelled",
        "see in the studio whether it trained or waited for nodes; train fewer epochs or rows, use a larger size, or "
        "raise DROPTUNE_JOB_TIMEOUT; then retry the run",
    )


def spent(attempt: int, most: int) -> bool:
    """Whether an attempt of this number, counted from 1, is one too many."""
    return attempt > most


def too_often(most: int) -> tuple[str, str]:
    """Reason and mend of a run that has had all its attempts."""
    return (
        f"the run has had its {most} attempts",
        "mend what made them fail, and raise DROPTUNE_MAX_ATTEMPTS or drop the file with other parameters",
    )


def _words(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size or (size < 86400 and seconds >= size):
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} seconds"
