"""Values of personal data and secrets never reach a finding, a sample or a report."""

from __future__ import annotations

import json

from folder_sink import judge
from hypothesis import given
from hypothesis import strategies as st

from shared import reports
from shared.datasets.masked import COVER, masked

SECRETS = [
    "ann.lee@contoso.com",
    "AKIA2E7ABF3B244C5576",
    "4556 7375 8689 9855",
    "DE89 3704 0044 0532 0130 00",
    "+49 170 1234567",
]
ROWS = [
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"{n} {secret}"},
                {"role": "assistant", "content": f"noted: {secret}, thanks"},
            ]
        }
    )
    for n in range(4)
    for secret in SECRETS
]


def test_a_verdict_and_its_page_hold_no_value() -> None:
    broken = [row[: row.index("thanks")] for row in ROWS]
    for lines in (ROWS, ROWS + broken):
        document = judge("\n".join(lines).encode()).as_json()
        shown = json.dumps(document, ensure_ascii=False) + reports.render(
            {"file": "x", "state": "accepted", **document}
        )
        assert COVER in shown
        assert [secret for secret in SECRETS if secret in shown] == []
        assert {entry["kind"] for entry in document["profile"]["pii"]} >= {"email", "card", "iban", "phone"}


@given(st.text(max_size=80))
def test_a_text_keeps_its_length(text: str) -> None:
    assert len(masked(text)) == len(text)
