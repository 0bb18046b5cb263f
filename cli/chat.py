"""`droptune chat`: one answer, or a conversation."""

from __future__ import annotations

import time
from typing import Any

import click

from cli import environment
from cli.output import document, home_option, json_option, say, told

WAKES = 60


@click.command()
@click.argument("name")
@click.argument("message", required=False)
@click.option("--temperature", default=0.0, show_default=True, help="0: the same answer each time.")
@click.option("--max-tokens", default=256, show_default=True)
@home_option
@json_option
@told
def chat(name: str, message: str | None, temperature: float, max_tokens: int, home: str, as_json: bool) -> None:
    """Ask the model NAME; without MESSAGE, have a conversation."""
    environment.use(home)
    options = {"temperature": temperature, "max_tokens": max_tokens}
    if message is not None:
        answer = ask(name, [{"role": "user", "content": message}], options)
        document(answer) if as_json else click.echo(answer["choices"][0]["message"]["content"])
        return
    messages: list[dict[str, str]] = []
    while True:
        try:
            messages.append({"role": "user", "content": click.prompt(">", prompt_suffix=" ", err=True)})
        except click.Abort:
            return
        text = ask(name, messages, options)["choices"][0]["message"]["content"]
        messages.append({"role": "assistant", "content": text})
        click.echo(text)


def ask(name: str, messages: list[dict[str, str]], options: dict[str, Any]) -> dict[str, Any]:
    """One chat completion; a model that sleeps is waited for, as long as it says that it takes."""
    from cli import api
    from shared.errors import TransientError

    for turn in range(WAKES):
        try:
            answer: dict[str, Any] = api.call(
                "POST", "v1", "chat", "completions", body={"model": name, "messages": messages, **options}
            )
            return answer
        except TransientError as error:
            if error.status != 503 or not error.retry_after or turn == WAKES - 1:
                raise
            say(error.reason)
            time.sleep(min(error.retry_after, 30.0))
    raise AssertionError("unreachable")
