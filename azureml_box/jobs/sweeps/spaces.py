"""Search spaces: the distributions of hyperparameters, and samples of them.

Source: learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep (attributes of `search_space`), and the order of
arguments on the wire from `search_space.py` of azure-ai-ml 1.35. `loguniform` is exp(uniform(min, max)), `randint` is below
`upper`, and q… rounds to multiples of `q`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from azureml_box.errors import BadRequest

_RANGE, _BELL = ("min_value", "max_value"), ("mu", "sigma")
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": _RANGE,
    "loguniform": _RANGE,
    "quniform": (*_RANGE, "q"),
    "qloguniform": (*_RANGE, "q"),
    "normal": _BELL,
    "lognormal": _BELL,
    "qnormal": (*_BELL, "q"),
    "qlognormal": (*_BELL, "q"),
}
_DISTINCT_TRIES = 1000
Space = Mapping[str, "Distribution"]


@dataclass(frozen=True)
class Distribution:
    """One hyperparameter's values; `arguments` in the order of the wire."""

    kind: str
    arguments: tuple[Any, ...]

    def sample(self, random: Random) -> Any:
        """One value."""
        if self.kind == "choice":
            return _inside(random.choice(self.arguments[0]), random)
        if self.kind == "randint":
            return random.randrange(int(self.arguments[0]))
        first, second = map(float, self.arguments[:2])
        value = random.gauss(first, second) if "normal" in self.kind else random.uniform(first, second)
        value = math.exp(value) if "log" in self.kind else value
        return round(value / self.arguments[2]) * self.arguments[2] if self.kind[0] == "q" else value

    @property
    def size(self) -> int | None:
        """How many values there are; None: without end, or not told."""
        if self.kind == "randint":
            return int(self.arguments[0])
        flat = self.kind == "choice" and not any(isinstance(item, dict) for item in self.arguments[0])
        return len(self.arguments[0]) if flat else None

    def wire(self) -> list[Any]:
        """As ARM spells it: `["uniform", [0, 1]]`."""
        return [self.kind, list(self.arguments)]


def read(name: str, sent: Any) -> Distribution:
    """A distribution as ARM spells it (`["uniform", [0, 1]]`) or as pipelines do (`{"type": "uniform", "min_value": …}`).

    Raises:
        BadRequest: it is neither, or an argument is missing or no number.
    """
    place = f"searchSpace.{name}"
    if isinstance(sent, dict) and sent.get("type") in _ARGUMENTS:
        kind = str(sent["type"])
        arguments = tuple(sent.get(argument) for argument in _ARGUMENTS[kind])
    elif isinstance(sent, list) and len(sent) == 2 and sent[0] in _ARGUMENTS and isinstance(sent[1], list):
        kind, arguments = str(sent[0]), tuple(sent[1])
    else:
        known = ", ".join(_ARGUMENTS)
        raise BadRequest(f"{place} is {sent!r}; a distribution is wanted: {known}.", target=place)
    if len(arguments) != len(_ARGUMENTS[kind]):
        raise BadRequest(f"{place}: {kind} needs {', '.join(_ARGUMENTS[kind])}.", target=place)
    return Distribution(kind, _checked(place, kind, arguments))


def _checked(place: str, kind: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if kind == "choice":
        if not isinstance(arguments[0], list) or not arguments[0]:
            raise BadRequest(f"{place}: choice needs a list of values.", target=place)
        return arguments
    numbers = tuple(_number(place, kind, value) for value in arguments)
    if (kind == "randint" and numbers[0] < 1) or (kind[0] == "q" and numbers[2] <= 0):
        raise BadRequest(f"{place}: the last argument of {kind} must be above 0.", target=place)
    return numbers


def _number(place: str, kind: str, value: Any) -> float:
    try:  # bindings of a pipeline's inputs come as texts
        return value if isinstance(value, int | float) else float(value)
    except (TypeError, ValueError):
        raise BadRequest(f"{place}: {kind} has {value!r} where a number is wanted.", target=place) from None


def samples(space: Space, algorithm: str, seed: int | str) -> Iterator[dict[str, Any]]:
    """Values for one trial after the other: all of a grid in order, else random ones, none twice while that can be.

    Raises:
        BadRequest: a grid over something that is not a choice.
    """
    if algorithm == "grid":
        for name, values in space.items():
            if values.kind != "choice":
                raise BadRequest(f"searchSpace.{name}: grid sampling takes choice only, not {values.kind}.")
        return (
            dict(zip(space, row, strict=True)) for row in itertools.product(*(v.arguments[0] for v in space.values()))
        )
    return _random(space, Random(seed))


def size(space: Space) -> int | None:
    """How many different trials there are; None: without end."""
    sizes = [values.size for values in space.values()]
    return None if None in sizes else math.prod(part for part in sizes if part is not None)


def text(value: Any) -> str:
    """A value as it stands in the command."""
    return json.dumps(value) if isinstance(value, dict | list | bool) else str(value)


def _random(space: Space, random: Random) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    while True:
        for _ in range(_DISTINCT_TRIES):
            values = {name: found.sample(random) for name, found in space.items()}
            if (key := json.dumps(values, sort_keys=True)) not in seen:
                break
        else:
            return
        seen.add(key)
        yield values


def _inside(item: Any, random: Random) -> Any:
    """A choice may hold a space of its own."""
    if not isinstance(item, dict):
        return item
    nested = {key: _nested(key, value) for key, value in item.items()}
    return {key: value.sample(random) if isinstance(value, Distribution) else value for key, value in nested.items()}


def _nested(key: str, value: Any) -> Any:
    try:
        return read(key, value)
    except BadRequest:  # a plain value
        return value
