"""What a webhook is told of a run: a CloudEvent with the run, one sentence for people, and no secret."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from shared.lifecycle import news, notify
from shared.runs.records import RUN_RESTS, Moment, Notice, Run, Upload, rests_since

WEBHOOK = "https://hooks.example/T0/B0secret"
AT = "2027-01-15T08:00:00.000Z"


def run(state: str = "failed", **more: Any) -> Run:
    timeline = [Moment("validated", "2027-01-15T07:00:00.000Z"), Moment(state, AT, "so it is")]
    told = {"reason": "the job failed: out of memory.", "fix": "take a larger size", "timeline": timeline, **more}
    return Run(id="acme-0123456789", name="acme", state=state, notice=Notice(WEBHOOK), **told)


def upload(state: str = "rejected") -> Upload:
    timeline = [Moment("received", "2027-01-15T07:00:00.000Z"), Moment(state, AT)]
    given: dict[str, Any] = {"reason": "line 3: <b> & more", "fix": "mend it", "timeline": timeline}
    return Upload(
        id="acme~01", name="acme", state=state, path="acme/a.jsonl", etag="e", notice=Notice(WEBHOOK), **given
    )


def test_it_is_a_cloud_event_with_the_run_in_it() -> None:
    told = json.loads(news.document(run(), None))
    assert {key for key in told if not (key.islower() and key.isalnum())} == set()  # CloudEvents 1.0, attribute names
    assert (told["specversion"], told["type"], told["subject"]) == ("1.0", "Droptune.RunFailed", "runs/acme-0123456789")
    assert (told["id"], told["time"]) == (f"acme-0123456789@{AT}", AT)
    assert (told["data"]["state"], told["data"]["reason"]) == ("failed", "the job failed: out of memory.")
    assert told["text"] == (
        "acme: run acme-0123456789 failed: the job failed: out of memory. Mend: take a larger size."
    )


def test_a_rejected_upload_is_one_too() -> None:
    told = json.loads(news.document(upload(), None))
    assert (told["type"], told["subject"]) == ("Droptune.UploadRejected", "uploads/acme~01")
    assert told["text"] == "acme: a.jsonl was rejected: line 3: &lt;b&gt; &amp; more. Mend: mend it."


@pytest.mark.parametrize("state", RUN_RESTS)
def test_every_rest_has_a_sentence_and_calls_nobody_in_a_channel(state: str) -> None:
    told = news.text(run(state, reason="<!channel>\n a & b", fix=""))
    assert told.startswith("acme: run acme-0123456789 ") and told.endswith("&lt;!channel&gt; a &amp; b.")
    assert news.WORDS[state] in told


def test_headers_carry_an_id_that_is_the_same_for_each_try_and_another_for_each_rest() -> None:
    first, again = run(), run()
    again.timeline.append(Moment("failed", "2027-01-15T09:00:00.000Z", "the same was dropped again"))
    assert news.headers(first)["webhook-id"] == news.headers(again)["webhook-id"] == f"acme-0123456789@{AT}"
    again.enter("validated")
    again.enter("failed")
    assert news.headers(again)["webhook-id"] != news.headers(first)["webhook-id"]
    assert news.headers(first)["Content-Type"] == "application/json"  # Slack takes nothing else
    assert all(value.isascii() and value.isprintable() for value in news.headers(first).values())


def test_neither_the_address_nor_what_a_report_alone_shows_is_told() -> None:
    worst = [{"prompt": "secret question", "answer": "secret answer"}]
    told = news.document(run("gated_out", evaluation={"worst": worst, "rows": 1}, config={"x": "secret"}), None)
    assert b"secret" not in told and WEBHOOK.encode() not in told


def test_it_fits_into_what_teams_takes_however_long_a_run_was() -> None:
    timeline = [Moment("failed", AT, "x" * 200) for _ in range(2000)]
    curves = {"loss": [[float(step), 1.0] for step in range(100_000)]}
    told = news.document(run(timeline=timeline, metrics={"curves": curves, "loss": 1.0}, reason="y" * 5000), None)
    assert len(told) < 28_000
    assert json.loads(told)["data"]["metrics"] == {"loss": 1.0}


def test_a_record_waits_until_its_webhook_knows_this_rest() -> None:
    record = run()
    assert notify.waits(record)
    record.notice = msgspec.structs.replace(record.notice, of=rests_since(record), tries=1)
    assert notify.waits(record)
    record.notice = msgspec.structs.replace(record.notice, over=True)
    assert not notify.waits(record)
    record.enter("validated")
    assert not notify.waits(record)
    record.enter("failed")
    assert notify.waits(record)


@pytest.mark.parametrize("state", ["accepted", "duplicate", "withdrawn", "received"])
def test_of_uploads_only_the_rejected_are_told(state: str) -> None:
    assert notify.waits(upload()) and not notify.waits(upload(state))


def test_without_a_webhook_nobody_is_told() -> None:
    record = run()
    record.notice = Notice()
    assert not notify.waits(record)


def test_a_later_droptune_toml_names_another_webhook_and_an_earlier_one_does_not() -> None:
    known, asked = run("validated"), run("validated")
    known.dataset, asked.dataset = {"order": "2027-01-15T08:00"}, {"order": "2027-01-15T08:30"}
    asked.notice = Notice("https://hooks.example/other")
    assert notify.adopt(known, asked) and known.notice == Notice("https://hooks.example/other")
    late = run("validated")
    late.dataset = {"order": "2027-01-15T07:30"}
    assert not notify.adopt(known, late)
    assert known.notice.webhook == "https://hooks.example/other"


def test_records_without_a_webhook_say_nothing_of_one() -> None:
    record = run()
    record.notice = Notice()
    assert b'"notice":{}' in msgspec.json.encode(record)
