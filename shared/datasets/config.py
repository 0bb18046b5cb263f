"""`droptune.toml`: what the dropper may say beside the dataset; unknown keys are refused with the nearest known one."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from shared import webhook
from shared.datasets.findings import Finding
from shared.idle import hours
from shared.settings import parse_duration

FILE = "droptune.toml"


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Deploy only if …; without any, nothing is gated out. All but the loss look at answers to test rows."""

    eval_loss_at_most: float | None = None
    better_than_live: bool | None = None
    chrf_at_least: float | None = None
    f1_at_least: float | None = None
    exact_at_least: float | None = None
    judged_at_least: float | None = None
    empty_at_most: float | None = None
    cut_at_most: float | None = None


class Deploy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the model is served."""

    instance_type: str | None = None
    idle_after: str | None = None
    canary: list[int] | None = None
    mirror: int | None = None
    awake: str | None = None
    delete_after: str | None = None


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the run may cost."""

    max_cost_usd: float | None = None


class Checks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strictly the dataset is looked at; the operator's setting may be stricter."""

    pii: Literal["off", "warn", "reject"] = "warn"


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to tell how a run ended: an address over HTTPS, whose host the operator's list must have."""

    webhook: str | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; everything is optional."""

    base_model: str | None = None
    compute: str | None = None
    test_fraction: float = 0.1
    validation_fraction: float = 0.1
    parameters: dict[str, Any] = {}
    gate: Gate = Gate()
    deploy: Deploy = Deploy()
    budget: Budget = Budget()
    checks: Checks = Checks()
    notify: Notify = Notify()


def parse(data: bytes) -> tuple[Config, list[Finding]]:
    """The configuration in the bytes of a `droptune.toml`, and what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # besides TOMLDecodeError: numbers too long, nesting too deep
        return Config(), [
            _finding("config_invalid", f"the file is no TOML: {error}", "see the README", _line_of(error))
        ]
    unknown = list(_unknown_keys(values, text))
    if unknown:
        return Config(), unknown
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        field = _field(str(error))
        return Config(), [
            _finding("config_invalid", str(error), "write a value of that kind", _find(text, field), field)
        ]
    return config, list(_out_of_range(config, text))


def _unknown_keys(values: dict[str, Any], text: str) -> list[Finding]:
    tables: dict[str, Any] = {"": Config}
    tables |= {"gate": Gate, "deploy": Deploy, "budget": Budget, "checks": Checks, "notify": Notify}
    found = []
    for table, kind in tables.items():
        written = values if not table else values.get(table, {})
        known = list(kind.__struct_fields__)
        for key in written if isinstance(written, dict) else ():
            if key not in known:
                field = f"{table}.{key}" if table else key
                found.append(
                    _finding(
                        "config_unknown_key",
                        f"there is no setting {field!r}",
                        nearest(key, known),
                        _find(text, field),
                        field,
                    )
                )
    return found


def nearest(word: str, known: list[str]) -> str:
    """The mend for an unknown word: the nearest known one, else all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known are: " + ", ".join(sorted(known))


def _out_of_range(config: Config, text: str) -> list[Finding]:
    found = []
    for field in ("test_fraction", "validation_fraction"):
        if not 0 < getattr(config, field) < 0.5:
            message = f"{field} is {getattr(config, field)}"
            found.append(
                _finding("config_range", message, "choose a fraction above 0 and below 0.5", _find(text, field), field)
            )
    if config.budget.max_cost_usd is not None and not 0 < config.budget.max_cost_usd < math.inf:
        field, told = "budget.max_cost_usd", "must be a finite number above 0"
        found.append(_finding("config_range", f"{field} {told}", "name an amount in USD", _find(text, field), field))
    for field, why, fix in (*_wrong(config), *_unreadable(config)):
        found.append(_finding("config_range", f"{field}: {why}", fix, _find(text, field), field))
    return found


def _wrong(config: Config) -> Iterator[tuple[str, str, str]]:
    """What of the gate and of the way to live is out of its range: the field, what it must be, and an example."""
    if config.gate.eval_loss_at_most is not None and not math.isfinite(config.gate.eval_loss_at_most):
        yield "gate.eval_loss_at_most", "must be a finite number", "name a loss, 2.0 for one"
    for key, most in _GATE_MOST.items():
        value = getattr(config.gate, key)
        if value is not None and not 0 <= value <= most:
            yield f"gate.{key}", f"must be from 0 to {most}", f"name a mean over the test rows, {most / 2:g} for one"
    steps = config.deploy.canary
    if steps is not None and (not steps or steps != sorted(set(steps)) or not 1 <= steps[0] <= steps[-1] <= 100):
        yield "deploy.canary", "must be rising per cents from 1 to 100", "write canary = [10, 50, 100]"
    if config.deploy.mirror is not None and not 1 <= config.deploy.mirror <= 50:
        yield "deploy.mirror", "must be from 1 to 50 per cent", "Azure mirrors at most half of the traffic"


_GATE_MOST = {
    "chrf_at_least": 100,
    "f1_at_least": 1,
    "exact_at_least": 1,
    "judged_at_least": 1,
    "empty_at_most": 1,
    "cut_at_most": 1,
}


def _unreadable(config: Config) -> Iterator[tuple[str, str, str]]:
    """The fields whose text says nothing, why, and the mend."""
    deploy, told = config.deploy, config.notify.webhook
    readers: dict[str, tuple[str | None, Callable[[str], object], str]] = {
        "deploy.idle_after": (deploy.idle_after, _window, "write auto, a duration such as 30m, or 0 for never"),
        "deploy.awake": (deploy.awake, hours.parse, f"write hours as in {hours.EXAMPLE!r}"),
        "deploy.delete_after": (deploy.delete_after, _life, "write a duration such as 30d, or leave it out"),
        "notify.webhook": (told, webhook.parse, "write an address such as https://hooks.example.com/droptune"),
    }
    for field, (written, read, fix) in readers.items():
        try:
            if written is not None:
                read(written)
        except ValueError as error:
            yield field, str(error), fix


def _window(text: str) -> object:
    return text == "auto" or parse_duration(text)


def _life(text: str) -> None:
    if not parse_duration(text):
        raise ValueError("an endpoint that ends at once is of no use")


def config_finding(data: bytes | None, field: str, message: str, fix: str) -> Finding:
    """A finding about a field of the file, with its line where that can be told."""
    line = _find(data.decode("utf-8", "replace"), field) if data else None
    return _finding("config_refused", message, fix, line, field)


def _finding(code: str, message: str, fix: str, line: int | None, field: str | None = None) -> Finding:
    return Finding(code=code, severity="error", message=message, fix=fix, line=line, field=field, file=FILE)


def _find(text: str, field: str | None) -> int | None:
    key = (field or "").rsplit(".", 1)[-1]
    for number, line in enumerate(text.splitlines(), 1):
        if key and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
            return number
    return None


def _field(message: str) -> str | None:
    match = re.search(r"\$\.([\w.]+)", message)
    return match[1] if match else None


def _line_of(error: Exception) -> int | None:
    match = re.search(r"line (\d+)", str(error))
    return int(match[1]) if match else None
