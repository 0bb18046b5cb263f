"""A rule as it is sent: fields checked one by one, unknown ones refused, names filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from azureml_box.errors import BadRequest
from azureml_box.faults.effects import HALVES, KINDS, RETRY_AFTER, Effect
from azureml_box.faults.named import NAMED
from azureml_box.faults.trigger import Trigger

_MOST_SECONDS = 3600
_TRIGGER, _EFFECT = ({field.name for field in fields(part)} for part in (Trigger, Effect))


@dataclass(frozen=True)
class Rule:
    """One fault."""

    id: str
    name: str | None
    trigger: Trigger
    effect: Effect

    def document(self) -> dict[str, Any]:
        """Return the rule as the control API shows it."""
        return {"id": self.id, "name": self.name, **asdict(self.trigger), **asdict(self.effect)}


def read(identity: str, sent: dict[str, Any]) -> Rule:
    """Make a rule of a JSON object.

    Raises:
        BadRequest: a field is unknown, of the wrong type or out of bounds, or two contradict each other.
    """
    name = sent.get("name")
    if name is not None and name not in NAMED:
        raise BadRequest(f"There is no fault {name!r}. Known: {', '.join(sorted(NAMED))}.", target="name")
    given = {**NAMED.get(name or "", {}), **{key: value for key, value in sent.items() if key not in ("name", "id")}}
    if unknown := sorted(set(given) - set(_CHECKS)):
        known = ", ".join(sorted(_CHECKS))
        raise BadRequest(f"A fault has no field {unknown[0]!r}. Known: name, {known}.", target=unknown[0])
    values = {key: _checked(key, value) for key, value in given.items() if value is not None}
    trigger = Trigger(**{key: value for key, value in values.items() if key in _TRIGGER})
    effect = Effect(**{key: value for key, value in values.items() if key in _EFFECT})
    _fit(trigger, effect, "when" in values)
    return Rule(identity, name, trigger, effect)


def _fit(trigger: Trigger, effect: Effect, when_given: bool) -> None:
    chosen = [name for name in ("nth", "every", "probability") if getattr(trigger, name) is not None]
    if len(chosen) > 1:
        raise BadRequest(f"Give one of {' and '.join(chosen)}, not both.", target=chosen[1])
    if effect.kind in HALVES and when_given and effect.when == "before":
        raise BadRequest(f"{effect.kind} cuts an answer, so the call comes first: when must be 'after'.", target="when")
    if effect.kind == "provisioning" and not effect.code:
        raise BadRequest("A fault of provisioning needs the code that its operation fails with.", target="code")


def _checked(key: str, value: Any) -> Any:
    fits, words = _CHECKS[key]
    if not fits(value):
        raise BadRequest(f"{key} must be {words}, not {value!r}.", target=key)
    return value.upper() if key == "method" else value


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _one_of(*allowed: str) -> tuple[Callable[[Any], bool], str]:
    return lambda value: value in allowed, f"one of {', '.join(allowed)}"


def _text(value: Any) -> bool:
    return isinstance(value, str)


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "method": (
        lambda value: _text(value) and value.upper() in ("*", "GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"),
        "a verb or *",
    ),
    "path": (lambda value: _text(value) and bool(value), "a pattern such as jobs/* or /metadata/**"),
    "query": (_text, "a parameter such as comp=blocklist"),
    "nth": (_whole(1, 10**9), "a whole number from 1"),
    "every": (_whole(1, 10**9), "a whole number from 1"),
    "probability": (_number(0, 1), "a number from 0 to 1"),
    "seed": (_whole(0, 2**63), "a whole number"),
    "times": (_whole(0, 10**9), "a whole number; 0 is always"),
    "kind": _one_of(*KINDS),
    "when": _one_of("before", "after"),
    "status": (_whole(400, 599), "from 400 to 599"),
    "code": (_text, "a text"),
    "message": (_text, "a text"),
    "delay": (_number(0, _MOST_SECONDS), f"seconds from 0 to {_MOST_SECONDS}"),
    "retry_after": _one_of(*RETRY_AFTER),
    "retry_seconds": (_number(0, _MOST_SECONDS), f"seconds from 0 to {_MOST_SECONDS}"),
}
