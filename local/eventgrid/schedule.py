"""When a failed delivery is tried again.

Source: https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

RETRY_AFTER = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600)
EVERY_LATER = 43200
NEVER_AGAIN = frozenset({400, 401, 403, 413})


def delay(attempts: int, scale: float = 1.0) -> float:
    """Return the seconds to wait after the given number of failed attempts (1 or more)."""
    index = attempts - 1
    return (RETRY_AFTER[index] if index < len(RETRY_AFTER) else EVERY_LATER) * scale


def give_up_reason(status: int | None, attempts: int, age: float, *, max_attempts: int, ttl: float) -> str | None:
    """Say why an event is not tried again, in Event Grid's words for dead letters; None where it is."""
    if status in NEVER_AGAIN:
        return "UndeliverableDueToClientError"
    if attempts >= max_attempts:
        return "MaxDeliveryAttemptsExceeded"
    return "TimeToLiveExceeded" if age >= ttl else None
