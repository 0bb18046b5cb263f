"""Which calls a rule is about, and which of them it fires for."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qs

# The emulator's own paths: its health and the calls that steer it are never broken.
SPARED = ("/healthz", "/_emulator/")


@dataclass(frozen=True)
class Trigger:
    """A verb and a path, and of the calls that match: the nth, every nth, or a share of them; at most `times` (0: always).

    In `path`, `*` stands for one segment or a part of it, `**` for any number of them; a path that does not begin with
    `/` matches the end of an address. Case does not count, as in Azure Resource Manager. `query` is a parameter that the
    address must have, as `comp=blocklist`, or `comp` with whatever value.
    """

    method: str = "*"
    path: str = "**"
    query: str = ""
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 0
    times: int = 1

    def matches(self, method: str, path: str, query: str = "") -> bool:
        """Tell whether a call is one of those that are counted."""
        if self.query and not _has(query, self.query):
            return False
        if path.startswith(SPARED) or self.method not in ("*", method.upper()):
            return False
        return bool(_pattern(self.path).fullmatch(path.rstrip("/")))


@dataclass
class Count:
    """How often a rule's calls came, and how often it fired; the dice are its own, so that a seed repeats a run."""

    trigger: Trigger
    seen: int = 0
    fired: int = 0
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.trigger.seed)

    @classmethod
    def after(cls, trigger: Trigger, seen: int, fired: int) -> Count:
        """A count that goes on where another stopped, its dice too."""
        count = cls(trigger, seen, fired)
        if trigger.probability is not None:
            for _ in range(seen):
                count.dice.random()
        return count

    def fires(self) -> bool:
        """Count a call that matches; True where the rule fires for it."""
        self.seen += 1
        if self._chosen() and not (self.trigger.times and self.fired >= self.trigger.times):
            self.fired += 1
            return True
        return False

    def _chosen(self) -> bool:
        rule = self.trigger
        if rule.nth is not None:
            # From the nth call on, so that `times` can make it several in a row.
            return self.seen >= rule.nth
        if rule.every is not None:
            return self.seen % rule.every == 0
        return rule.probability is None or self.dice.random() < rule.probability


def _has(query: str, wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    given = parse_qs(query, keep_blank_values=True).get(name)
    return given is not None and (not equals or value in given)


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = [
        ".*" if part == "**" else "[^/]*" if part == "*" else re.escape(part) for part in re.split(r"(\*\*|\*)", glob)
    ]
    start = "" if glob.startswith(("/", "**")) else "(?:.*/)?"
    return re.compile(start + "".join(parts), re.IGNORECASE)
