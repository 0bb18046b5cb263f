"""`droptune problems`: what belongs to no run and must be seen by somebody."""

from __future__ import annotations

import click

from cli import environment
from cli.output import document, home_option, json_option, told


@click.command()
@home_option
@json_option
@told
def problems(home: str, as_json: bool) -> None:
    """What belongs to no run: broken records, strange messages, removed orphans, others' endpoints that bill."""
    from cli import api

    environment.use(home)
    answer = api.call("GET", "problems")
    if as_json:
        document(answer)
        return
    for row in answer["problems"]:
        click.echo(f"{row['at']}  {row['kind']:<9} {row['subject']}\n    {row['reason']}")
        if row["fix"]:
            click.echo(f"    {row['fix']}")
    if not answer["problems"]:
        click.echo("none")
