"""A new deployment without traffic answers test rows, beside the live one, in pieces; then the gate decides.

What was answered so far is in the run's record, as scores: whoever is killed loses a piece at most. Texts are kept of the
five worst answers only.
"""

from __future__ import annotations

from typing import Any

import msgspec

from shared import clock
from shared.azure.blobs import Container
from shared.azure.outside import outside
from shared.endpoints import usage
from shared.endpoints.wire import body_of, probe
from shared.errors import DeniedError, NotFoundError, NotReadyError, RejectedError, ServiceError, TransientError
from shared.evaluation import gate, judge
from shared.evaluation.sample import Question, allowance, choose
from shared.evaluation.scores import score
from shared.evaluation.summary import keep_worst
from shared.lifecycle import evaluated
from shared.lifecycle.outcome import Again, Enter, Outcome
from shared.models import registration
from shared.runs.records import Endpoint, Run
from shared.settings import settings

PIECE_SECONDS = 45.0  # a row takes two minutes at most after that, and a function has five
PATIENT_TRIES = 6  # with their pauses, a minute
PAUSE = 2.0  # long enough for `reconcile` not to take the next piece in the same call
READ = 8 * 1024 * 1024  # of the test file: the rows are drawn from its beginning
MOST_TOKENS = 256
SHOWN = 1500  # characters of a text in the report
FEWEST = 20  # rows that are asked where the gate needs answers and the setting is 0


class Asked(msgspec.Struct, frozen=True):
    """A deployment that answers: the scoring address of its endpoint, the endpoint, and what it is (`live`, `base`)."""

    uri: str
    endpoint: str
    deployment: str
    what: str = ""


def evaluate(run: Run, record: Endpoint, uri: str) -> Outcome | None:
    """None once the rows are answered and the gate lets the run through; else what comes next."""
    if run.evaluation.get("deployment") != run.endpoint["deployment"]:
        run.evaluation = {"deployment": run.endpoint["deployment"], "done": not _is_wanted(run)}
    if not run.evaluation["done"] and not _piece(run, record, uri):
        return Again(PAUSE, changed=True)
    told = _gated(run)
    if not told:
        return None
    registration.tag(run.model, {"droptune-gate": f"gated_out: {told}"[:256]})
    return Enter("gated_out", told, told, gate.FIX)


def _is_wanted(run: Run) -> bool:
    """A rollback is no new model: it was evaluated when it was."""
    return not run.rollout.get("back") and (settings().evaluation_rows > 0 or gate.wants_answers(_gate(run)))


def _gate(run: Run) -> dict[str, Any]:
    return run.config.get("gate") or {}


def _gated(run: Run) -> str:
    if run.rollout.get("back"):
        return ""
    found, beside = evaluated.results(run.evaluation)
    return gate.by_answers(_gate(run), found, beside, str((run.evaluation.get("beside") or {}).get("what", "live")))


def _piece(run: Run, record: Endpoint, uri: str) -> bool:
    """Asks as many rows as a step has time for; True once all have been asked."""
    questions, done = _questions(run), run.evaluation
    new = Asked(uri, record.endpoint_name, str(run.endpoint["deployment"]))
    other = _beside(run, record, uri)
    done |= {"rows": len(questions), "beside": msgspec.to_builtins(other) if other else None}
    asked = len(done.setdefault("new", []))
    ends = clock.monotonic() + PIECE_SECONDS
    for row in range(asked, len(questions)):
        if clock.monotonic() > ends:
            return False
        try:
            _ask_row(run, row, questions[row], new, other)
        except (TransientError, DeniedError, NotReadyError):
            if row == asked:
                raise
            return False  # what was answered is kept; the next look meets the fault again, or not
    done["done"] = True
    return True


def _ask_row(run: Run, row: int, question: Question, new: Asked, other: Asked | None) -> None:
    """Asks both before either is noted: they stay beside each other whatever fails."""
    most = allowance(question.reference, MOST_TOKENS)
    answers = [(new, _answer(run.name, new, question, most))]
    if other is not None:
        answers.append((other, _other(run, other, question, most)))
    grader = judge.load(settings().judge)
    for side, answer in answers:
        judged = judge.grade(grader, question.messages, question.reference, answer)
        found = score(row, answer, question.reference, most, judged)
        run.evaluation.setdefault("new" if side is new else "other", []).append(msgspec.to_builtins(found))
    _note_worst(run, row, question, [answer for _, answer in answers])


def _note_worst(run: Run, row: int, question: Question, answers: list[str]) -> None:
    entry = {
        "row": row,
        "chrf": run.evaluation["new"][-1][3],
        "asked": str(question.messages[-1].get("content") or "")[:SHOWN],
        "reference": question.reference[:SHOWN],
        "answer": answers[0][:SHOWN],
        **({"other": answers[1][:SHOWN]} if len(answers) > 1 else {}),
    }
    run.evaluation["worst"] = keep_worst(run.evaluation.get("worst", []), entry)


def _other(run: Run, side: Asked, question: Question, most: int) -> str:
    """The same of what stands beside; one that is down for a minute has no answer: it must not keep a better one away."""
    try:
        return _answer(run.name, side, question, most)
    except (TransientError, NotReadyError):
        if run.tries < PATIENT_TRIES:
            raise
        return ""


def _answer(name: str, side: Asked, question: Question, most: int) -> str:
    """The text, or none where the model cannot answer this row.

    Raises:
        TransientError, NotReadyError: it cannot be reached, or is busy.
    """
    body = body_of(question.messages, {"max_new_tokens": most, "do_sample": False, "temperature": 0.0})
    try:
        key = outside().online.key(side.endpoint)
        with usage.sending(name, probe=True):
            return probe(side.uri, key, side.deployment, body)
    except RejectedError:
        return ""


def _questions(run: Run) -> list[Question]:
    """The rows to ask; none where the snapshot aged out, which two witnesses must say."""
    path, most = f"{run.dataset['snapshot']}/test.jsonl", settings().evaluation_rows or FEWEST
    try:
        data = Container("snapshots").read(path, most=READ)[0]
    except NotFoundError:
        if Container("snapshots").properties(path) is not None:
            raise
        return []
    whole = data if len(data) < READ else data[: data.rfind(b"\n") + 1]
    return choose(whole.splitlines(), most)


def _beside(run: Run, record: Endpoint, uri: str) -> Asked | None:
    """The live deployment, else the base model's where the operator names one; it stays the same for all rows."""
    if run.evaluation.get("new"):
        known = run.evaluation.get("beside")
        kept = msgspec.convert(known, Asked) if known else None
        return kept if kept and _stands(kept.endpoint, kept.deployment) else None
    if record.state == "awake" and record.run != run.id and _stands(record.endpoint_name, record.deployment):
        return Asked(uri, record.endpoint_name, record.deployment, "live")
    place, _, deployment = settings().base_deployment.partition("/")
    try:
        found = outside().online.find(place) if place and deployment else None
    except ServiceError:
        return None  # it is a courtesy: its endpoint must not keep a run from going on
    return Asked(found.scoring_uri, place, deployment, "base") if found and _stands(place, deployment) else None


def _stands(endpoint: str, deployment: str) -> bool:
    made = outside().online.deployment(endpoint, deployment) if deployment else None
    return made is not None and made.state == "succeeded"
