"""MLflow's language of filters: comparisons joined by AND.

Grammar: mlflow.org/docs/latest/search-runs.html; its edges (what misses a key never matches, which comparison goes with
which kind) are those of `SearchUtils` in mlflow-skinny 3.17.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from azureml_box.jobs.mlflow.errors import invalid

_KINDS = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
}
_ALIASES = {"created": "start_time", "Created": "start_time"}
_ALIASES |= dict.fromkeys(("run name", "Run name", "Run Name"), "run_name")
_LEFT = r"(?:[A-Za-z]+\.)?(?:`[^`]+`|\"[^\"]+\"|[\w.]+)"
_CLAUSE = re.compile(
    rf"\s*(?P<left>{_LEFT})\s*"
    r"(?P<how>>=|<=|!=|=|<|>|(?:NOT\s+)?IN\b|I?LIKE\b|IS\s+(?:NOT\s+)?NULL\b)\s*"
    r"(?P<right>'[^']*'|\"[^\"]*\"|[-+]?\d[\d.]*(?:[eE][-+]?\d+)?|\([^)]*\))?\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"AND\b", re.IGNORECASE)
_NUMBERS = {
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
}
_NULL = {"IS NULL", "IS NOT NULL"}
_TEXTS = {"=", "!=", "LIKE", "ILIKE"}
Key = tuple[str, str]
Values = Mapping[Key, Any]


@dataclass(frozen=True)
class Clause:
    """One comparison; `key` is (kind, name)."""

    key: Key
    how: str
    value: Any = None

    def matches(self, values: Values) -> bool:
        """Whether it holds for one run or experiment."""
        left = values.get(self.key)
        if self.how in _NULL:
            return (left is None) == (self.how == "IS NULL")
        return left is not None and _compare(left, self.how, self.value)


def _compare(left: Any, how: str, right: Any) -> bool:
    if how.endswith("IN"):
        return (left in right) == (how == "IN")
    if how.endswith("LIKE"):
        pattern = re.escape(right).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, left, re.DOTALL | (re.IGNORECASE if how == "ILIKE" else 0)) is not None
    compare: Callable[[Any, Any], bool] = _NUMBERS[how]
    return compare(left, right)


def parse(
    text: str, attributes: Mapping[str, type], kinds: Collection[str] = ("metric", "param", "tag")
) -> list[Clause]:
    """The clauses of a filter; `attributes` are the known ones with their types.

    Raises:
        Refused: it is not in this language.
    """
    clauses: list[Clause] = []
    place = 0
    while text[place:].strip():
        if clauses:
            joined = _AND.match(text, place)
            if joined is None:
                raise invalid(f"Invalid clause(s) in filter string: {text[place:].strip()!r}")
            place = joined.end()
        match = _CLAUSE.match(text, place)
        if match is None:
            raise invalid(f"Invalid clause(s) in filter string: {text[place:].strip()!r}")
        key = read_key(match["left"], attributes, kinds)
        clauses.append(_clause(key, " ".join(match["how"].upper().split()), match["right"], attributes))
        place = match.end()
    return clauses


def read_key(text: str, attributes: Collection[str], kinds: Collection[str] = ("metric", "param", "tag")) -> Key:
    """(kind, name) of `metrics.loss`, `tags."a b"`, `start_time`."""
    head, dot, rest = text.partition(".")
    if not dot or text[0] in '`"':
        head, rest = "attribute", text
    kind = _KINDS.get(head)
    if kind is None or kind not in (*kinds, "attribute"):
        raise invalid(f"Invalid entity type '{head}'. Valid values are {sorted({*kinds, 'attribute'})}")
    name = rest.strip('`"')
    if kind == "attribute":
        name = _ALIASES.get(name, name)
        if name not in attributes:
            raise invalid(f"Invalid attribute key '{name}' specified. Valid keys are {sorted(attributes)}")
    return kind, name


def _clause(key: Key, how: str, right: str | None, attributes: Mapping[str, type]) -> Clause:
    kind, name = key
    number = kind == "metric" or (kind == "attribute" and attributes[name] is int)
    allowed = {*_NUMBERS} if number else _TEXTS | ({"IN", "NOT IN"} if kind == "attribute" else _NULL)
    if how not in allowed:
        raise invalid(f"Invalid comparator '{how}' for {kind} '{name}', not one of {sorted(allowed)}")
    if how in _NULL:
        return Clause(key, how)
    if right is None:
        raise invalid(f"Invalid filter string: '{kind}.{name} {how}' has no value")
    if how.endswith("IN"):
        return Clause(key, how, tuple(a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", right)))
    if number:
        try:
            return Clause(key, how, float(right))
        except ValueError:
            raise invalid(f"Expected numeric value type for {kind} '{name}'. Found {right}") from None
    if right[0] not in "'\"":
        raise invalid(f"Expected a quoted string value for {kind} '{name}'. Got value {right}")
    return Clause(key, how, right[1:-1])
