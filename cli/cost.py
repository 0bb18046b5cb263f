"""`droptune cost`: what ran, what it cost, what sleeping saved, what bills now and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from cli import environment
from cli.output import document, home_option, json_option, told


@click.command()
@click.option("--since", default="30d", show_default=True, help="How far back, such as 7d.")
@home_option
@json_option
@told
def cost(since: str, home: str, as_json: bool) -> None:
    """What ran, what it cost, what sleeping saved, what bills now."""
    from cli import api
    from shared.runs.records import stamp
    from shared.settings import parse_duration

    try:
        began = datetime.now(UTC) - timedelta(seconds=parse_duration(since))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    environment.use(home)
    answer = api.call("GET", "cost", query={"since": stamp(began)})
    if as_json:
        document(answer)
        return
    click.echo(f"training            {answer['training_usd']:10.4f} USD")
    click.echo(f"serving             {answer['serving_usd']:10.4f} USD")
    click.echo(f"saved by sleeping   {answer['saved_usd']:10.4f} USD")
    click.echo(f"bills now           {answer['bills_now_usd_an_hour']:10.4f} USD an hour")
    for row in answer["endpoints"]:
        click.echo(f"  {row['name']:<22} {row['state']:<15} {row['bills_now_usd_an_hour']:.2f} USD an hour")
    click.echo(f"({answer['basis']})")
