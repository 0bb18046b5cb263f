"""Strict by default: what the emulator cannot do is refused and counted, never answered by a guess.

`GET /_emulator/unsupported` tells the counts. A loose emulator counts, and goes on without what was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.requests import Request

from azureml_box.errors import ArmError

if TYPE_CHECKING:
    from azureml_box.context import Box

_ALWAYS = ("api-version", "$skiptoken")


def refuse(context: Box, what: str) -> None:
    """Counts a thing that is not implemented; `what` names it, as in `jobs: the field properties.sourceJobId`.

    Raises:
        ArmError: 501, unless the emulator is loose.
    """
    note(context, what)
    if not context.loose:
        raise ArmError(501, "NotImplemented", f"The emulator does not implement {what}.", what)


def note(context: Box, what: str) -> None:
    """Counts a thing that is taken but has no effect here."""
    context.unsupported[what] += 1


def check_query(context: Box, request: Request, known: Iterable[str] = ()) -> None:
    """Refuses parameters of a query that the operation does not have; ARM compares their names without case."""
    allowed = {name.lower() for name in (*_ALWAYS, *known)}
    for name in request.query_params:
        if name.lower() not in allowed:
            refuse(context, f"the query parameter {name!r} of {request.method} {_operation(request)}")


def _operation(request: Request) -> str:
    path = request.url.path
    return path.split("/workspaces/", 1)[-1].partition("/")[2] or path
