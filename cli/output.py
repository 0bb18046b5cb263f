"""What people and programs see: tables for the one, one JSON document on stdout for the other; exit codes."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

P = ParamSpec("P")
T = TypeVar("T")
NO, USAGE, UNREACHABLE = 1, 2, 3

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
home_option = click.option(
    "--home", envvar="DROPTUNE_HOME", default=".droptune", show_default=True, help="The box's folder."
)


def document(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(text: str) -> None:
    """A line for people; on stderr, where programs don't look."""
    click.echo(text, err=True)


def fail(reason: str, fix: str = "", code: int = NO) -> NoReturn:
    """Says what is wrong and how to mend it, and ends with an exit code."""
    say(click.style(reason, fg="red") + (f"\n{fix}" if fix else ""))
    sys.exit(code)


def told(function: Callable[P, T]) -> Callable[P, T]:
    """Maps errors of a command to messages and exit codes: 1 no, 3 the service cannot be reached."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        from shared.errors import DroptuneError, TransientError

        try:
            return function(*args, **kwargs)
        except TransientError as error:
            fail(error.reason, error.fix, UNREACHABLE)
        except DroptuneError as error:
            fail(error.reason, error.fix)
        except Exception as error:
            if type(error).__name__ == "BoxError":  # of local.box, which only `droptune box` imports
                fail(str(error))
            raise

    return wrapped
