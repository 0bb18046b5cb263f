"""`python -m local.demo`: the whole loop, in the box at $DROPTUNE_HOME (default .droptune)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from local.box import control
from local.box.errors import BoxError
from local.demo import base, questions, screen
from local.demo.errors import DemoError
from shared.errors import DroptuneError

SETTINGS = {"DROPTUNE_IDLE_AFTER": "15s", "DROPTUNE_IDLE_SCHEDULE": "*/2 * * * * *"}


def play(home: Path) -> None:
    """Play all parts.

    Raises:
        DemoError: something that was promised was not seen.
    """
    screen.heading("the box: Azure storage, identity, Azure ML, Event Grid and the functions' host, on this machine")
    status = control.up(
        home, settings=SETTINGS, on_progress=lambda service, state: screen.good(f"{service:<10} {state}")
    )
    if not status.healthy:
        raise DemoError("a service of the box is not healthy", "droptune box status; droptune box logs")
    os.environ.update(control.environment(home))
    from local.demo import drop, sleep, talk  # they read the environment

    asked = questions.asked()
    screen.heading(f"what {base.base_model()} says of a product that does not exist, untaught")
    base_answers = base.answers(home, asked)
    screen.good(f"{len(base_answers)} answers, for later")
    rows = questions.assert_unseen(asked)
    screen.good(f"none of the {rows} rows of examples/{questions.DATASET.name} asks in these words")
    screen.heading("one dropped file")
    drop.drop()
    screen.heading("the same questions to both models")
    sleep.awake()
    talk.compare(asked, base_answers)
    screen.heading("the idle teardown")
    sleep.watch_it_fall_asleep()
    sleep.show_cost()
    screen.heading("the next request wakes it")
    seconds = sleep.ask_it_awake(asked[0])
    screen.good(f"awake and answering after {seconds:.1f} s")
    _farewell(home)


def _farewell(home: Path) -> None:
    where = "" if home == Path(".droptune") else f" --home {home}"
    screen.heading("what to try next")
    for command, what in (
        (f'.venv/bin/droptune chat {questions.NAME} "Who invented the Nimbrel?"{where}', "ask it"),
        (f".venv/bin/droptune drop YOUR.jsonl --config examples/droptune.toml --follow{where}", "a file of your own"),
        (f".venv/bin/droptune drop examples/broken/unknown_role.jsonl --follow{where}", "what a bad file is told"),
        (f".venv/bin/droptune runs show {questions.NAME}{where}", "its run, step by step"),
        (f".venv/bin/droptune cost{where}", "what it cost"),
        (f'eval "$(.venv/bin/droptune box env{where})"', "then any Azure SDK talks to the box"),
        (f".venv/bin/droptune box up --set DROPTUNE_IDLE_AFTER=30m{where}", "sleep less eagerly than in this demo"),
        (f".venv/bin/droptune box down{where}", "the box stays up until you say so"),
    ):
        screen.line(click.style(command, fg="cyan"))
        screen.line(f"    {what}")
    screen.good(f"all seen, in {screen.elapsed():.0f} s")


def main() -> int:
    """Play; 0 only if all was seen."""
    try:
        play(Path(os.environ.get("DROPTUNE_HOME") or ".droptune"))
    except (DemoError, DroptuneError) as error:
        return _failed(error.reason, error.fix)
    except BoxError as error:
        return _failed(str(error), "droptune box logs")
    except KeyboardInterrupt:
        return _failed("stopped", "the box may still be up: droptune box down") or 130
    return 0


def _failed(reason: str, fix: str) -> int:
    click.echo("\n" + click.style(f"✘ {reason}", fg="red") + (f"\n  {fix}" if fix else ""), err=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
