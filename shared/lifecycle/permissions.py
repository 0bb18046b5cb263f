"""May the app do what a run will need? Asked by harmless reads before anything costs money.

The reads show that the workspace can be seen with the roles that also write: AzureML Data Scientist holds both for jobs,
models and endpoints. Whoever was given a reader's role only is told at the submission itself, which costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from shared.azure import roles
from shared.azure.outside import outside, remembered

FRESH_SECONDS = 600.0
NOBODY = "droptune-may-i-look"


def check(compute: str) -> None:
    """Looks at what submitting and deploying will look at; asked once in ten minutes where the answer was yes.

    Raises:
        DeniedError: a role is missing; `fix` names it, and `status` tells 401 (who are you) from 403 (you may not).
    """
    looks: dict[str, Callable[[], object]] = {
        "jobs": lambda: outside().jobs.find(NOBODY),
        "endpoints": lambda: outside().online.find(NOBODY),
        "computes": lambda: outside().computes.find(compute),
    }
    for name, look in looks.items():
        remembered(f"may {name}", FRESH_SECONDS, lambda name=name, look=look: _looked(name, look))  # type: ignore[misc]


def _looked(name: str, look: Callable[[], object]) -> bool:
    with roles.needed(name):
        look()
    return True
