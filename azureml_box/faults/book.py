"""The rules in force, their counts, and what fired."""

from __future__ import annotations

from collections import deque
from typing import Any

from azureml_box.errors import NotFound
from azureml_box.faults.rules import Rule, read
from azureml_box.faults.trigger import Count
from azureml_box.stamps import now

_REMEMBERED = 1000


class FaultBook:
    """Rules in the order in which they came; for each call the first that fires, fires alone."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[Rule, Count]] = {}
        self._numbers = 0
        self.fired: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def add(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Put a rule in force and return it; raises BadRequest."""
        rule = read(f"f{self._numbers + 1}", sent)
        self._numbers += 1
        self._rules[rule.id] = (rule, Count(rule.trigger))
        return self._shown(rule.id)

    def remove(self, identity: str) -> None:
        """Take one rule away; raises NotFound."""
        if self._rules.pop(identity, None) is None:
            raise NotFound(f"There is no fault {identity!r}.")

    def clear(self) -> None:
        """Take all rules away, and forget what fired; numbers are not given out again."""
        self._rules.clear()
        self.fired.clear()

    def document(self) -> dict[str, Any]:
        """Return all rules with their counts, and the latest that fired."""
        return {"faults": [self._shown(identity) for identity in self._rules], "fired": list(self.fired)}

    def take(self, method: str, path: str, query: str = "") -> Rule | None:
        """Return the rule that fires for a call, having counted it; None where the call is left alone."""
        found: Rule | None = None
        for rule, count in self._rules.values():
            # Rules behind the one that fires see the call no more: its client sees one fault.
            if found is None and rule.trigger.matches(method, path, query) and count.fires():
                found = rule
                told = {"fault": rule.id, "name": rule.name, "kind": rule.effect.kind}
                self.fired.append({**told, "method": method, "path": path, "at": now()})
        return found

    def _shown(self, identity: str) -> dict[str, Any]:
        rule, count = self._rules[identity]
        return {**rule.document(), "seen": count.seen, "fired": count.fired}
