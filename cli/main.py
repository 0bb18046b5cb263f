"""The command's tree; each command's module is imported when it is called, so that `check` starts fast."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "box": "cli.box:box",
    "chat": "cli.chat:chat",
    "check": "cli.check:check",
    "convert": "cli.convert:convert",
    "cost": "cli.cost:cost",
    "doctor": "cli.doctor:doctor",
    "drop": "cli.drop:drop",
    "endpoints": "cli.endpoints:endpoints",
    "keys": "cli.keys:keys",
    "problems": "cli.problems:problems",
    "runs": "cli.runs:runs",
}


class Lazy(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Drop a chat dataset into storage, get a fine-tuned model behind an endpoint.

    Commands read the environment (`droptune box env` prints it), and fall back to a running box.
    """


if __name__ == "__main__":
    main()
