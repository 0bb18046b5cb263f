"""The rules in force, their counts, and what fired; kept in the database, so that a killed emulator goes on as it was."""

from __future__ import annotations

import json
from typing import Any

from azureml_box.errors import NotFound
from azureml_box.faults.rules import Rule, read
from azureml_box.faults.trigger import Count
from azureml_box.stamps import now
from azureml_box.store import Store

_REMEMBERED = 1000


class FaultBook:
    """Rules in the order in which they came; for each call the first that fires, fires alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.load()

    def load(self) -> None:
        """Take the rules with their counts as the database has them."""
        self._rules: dict[str, tuple[Rule, Count]] = {}
        for number, sent, seen, fired in self._store.rows("SELECT number, sent, seen, fired FROM faults ORDER BY 1"):
            rule = read(f"f{number}", json.loads(sent))
            self._rules[rule.id] = (rule, Count.after(rule.trigger, seen, fired))

    def add(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Put a rule in force and return it; raises BadRequest."""
        read("f0", sent)  # what is refused takes no number
        number = self._store.insert("INSERT INTO faults (sent, seen, fired) VALUES (?, 0, 0)", (json.dumps(sent),))
        rule = read(f"f{number}", sent)
        self._rules[rule.id] = (rule, Count(rule.trigger))
        return self._shown(rule.id)

    def remove(self, identity: str) -> None:
        """Take one rule away; raises NotFound."""
        if self._rules.pop(identity, None) is None:
            raise NotFound(f"There is no fault {identity!r}.")
        self._store.rows("DELETE FROM faults WHERE number = ?", (int(identity[1:]),))

    def clear(self) -> None:
        """Take all rules away, and forget what fired; numbers are not given out again."""
        self._rules.clear()
        self._store.rows("DELETE FROM faults")
        self._store.rows("DELETE FROM fired")

    def document(self) -> dict[str, Any]:
        """Return all rules with their counts, and the latest that fired."""
        sql = "SELECT doc FROM (SELECT number, doc FROM fired ORDER BY number DESC LIMIT ?) ORDER BY number"
        fired = [json.loads(doc) for (doc,) in self._store.rows(sql, (_REMEMBERED,))]
        return {"faults": [self._shown(identity) for identity in self._rules], "fired": fired}

    def take(self, method: str, path: str, query: str = "") -> Rule | None:
        """Return the rule that fires for a call, having counted it; None where the call is left alone."""
        found: Rule | None = None
        for rule, count in self._rules.values():
            # Rules behind the one that fires see the call no more: its client sees one fault.
            if found is None and rule.trigger.matches(method, path, query):
                found = rule if count.fires() else None
                counts = (count.seen, count.fired, int(rule.id[1:]))
                self._store.rows("UPDATE faults SET seen = ?, fired = ? WHERE number = ?", counts)
        if found is not None:
            self._note(found, method, path)
        return found

    def _note(self, rule: Rule, method: str, path: str) -> None:
        told = {"fault": rule.id, "name": rule.name, "kind": rule.effect.kind}
        doc = json.dumps({**told, "method": method, "path": path, "at": now()})
        number = self._store.insert("INSERT INTO fired (doc) VALUES (?)", (doc,))
        self._store.rows("DELETE FROM fired WHERE number <= ?", (number - _REMEMBERED,))

    def _shown(self, identity: str) -> dict[str, Any]:
        rule, count = self._rules[identity]
        return {**rule.document(), "seen": count.seen, "fired": count.fired}
