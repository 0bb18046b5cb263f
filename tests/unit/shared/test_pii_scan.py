"""The scan for personal data and secrets: what is found, what is not, and that neither way nor block matters."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.pii import KINDS, Scanner
from shared.datasets.pii.numbers import luhn

EVER = 1 << 60
MIXED = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zC5fG7hJ2kL4nM6bV8cX1"
LONG = MIXED * 4

FOUND = [
    ("aws_access_key", "AKIA" + "QZ3WX4EC5RV6TB7Y"),
    ("aws_access_key", "ASIA" + "QZ3WX4EC5RV6TB7Y"),
    ("github_token", "ghp_" + MIXED[:36]),
    ("github_token", "github_pat_" + LONG[:82]),
    ("gitlab_token", "glpat-" + MIXED[:20]),
    ("openai_key", "sk-" + MIXED[:20] + "T3BlbkFJ" + MIXED[:20]),
    ("openai_key", "sk-proj-" + LONG[:74] + "T3BlbkFJ" + LONG[:74]),
    ("anthropic_key", "sk-ant-api03-" + LONG[:93] + "AA"),
    ("google_api_key", "AIza" + MIXED[:35]),
    ("slack_token", "xoxb-1234567890-1234567890123-" + MIXED[:24]),
    ("stripe_key", "sk_live_" + MIXED[:24]),
    ("huggingface_token", "hf_" + "abcdefghijKLMNOPQRstuvwxyzABCDEFGH"),
    ("azure_storage_key", "AccountKey=" + LONG[:86] + "=="),
    ("azure_storage_key", "AccountKey=" + LONG[:40] + r"\/" + LONG[:45] + "=="),
    ("azure_sas", "https://a.blob/c?sv=2024&sig=" + MIXED[:43] + "%3D"),
    ("sendgrid_key", "SG." + MIXED[:22] + "." + MIXED[:43]),
    ("npm_token", "npm_" + MIXED[:36]),
    ("pypi_token", "pypi-AgEIcHlwaS5vcmc" + LONG[:60]),
    ("private_key", "-----BEGIN " + "RSA PRIVATE KEY-----"),
    ("private_key", "-----BEGIN " + "PRIVATE KEY-----"),
    ("jwt", "eyJ" + MIXED[:20] + ".eyJ" + MIXED[:30] + "." + MIXED[:43]),
    ("card", "4539578763621486"),
    ("card", "4539 5787 6362 1486"),
    ("card", "4539-5787-6362-1486"),
    ("card", "3714 496353 98456"),
    ("iban", "DE89370400440532013000"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606"),
    ("iban", "NL91ABNA0417164300"),
    ("email", "jane.doe+x@mail.co.uk"),
    ("phone", "+1 (415) 867-5309"),
    ("phone", "+442071838750"),
    ("phone", "(415) 867-5309"),
    ("phone", "415-867-5309"),
    ("phone", "06 12 34 56 78"),
    ("phone", "020 7183 8750"),
    ("us_ssn", "536-22-8145"),
]

MISSED = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "x" * 36,
    "jane@example.com, jane@mail.test, git@github.com, noreply@mail.com, icon@2x.png, @decorator.name",
    "react@18.2.0",
    "2962368004121d85e9fd30861c6ee8d4c9547747212b038ecd3e9cb7221d93b9",
    "550e8400-e29b-41d4-a716-446655440000",
    "1700000000 1700000000123 2021-03-04T12:30:00.123456789Z",
    "$1,299,000.00 1.234.567 10.0.19041.1234 192.168.100.200",
    "978-3-16-148410-0 9783161484100",
    "3.14159265358979323846 0.4539578763621486",
    "dates 2010-2014, 2015-2019, 1999-12-31",
    "order 4155550123456, ticket 123456789012",
    "4242 4242 4242 4242 4111111111111111",
    "4539578763621487",
    "0000 0000 0000 0000",
    "415-555-0123, (415) 555-0199, +1 415 555 0100, 020 7946 0958, 07700 900123",
    "078-05-1120 000-12-3456 666-12-3456 900-12-3456 123-00-4567",
    "DE89370400440532013001 XX89370400440532013000",
    "a task-list of risk-free disk-images, sk-learn, SG.1, hf_hub, npm_config, eyJ",
    "1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12.",
    "-----BEGIN CERTIFICATE-----",
]


def kinds(text: str, fast: bool) -> list[str]:
    return [hit.kind for hit in Scanner(0 if fast else EVER).scan(line(text))]


def line(text: str) -> bytes:
    return b'{"messages":[{"role":"user","content":"%b"}]}\n' % text.encode()


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("kind", "text"), FOUND)
@pytest.mark.parametrize("around", ["%s", "it is %s.", r"\n%s\n", r"é%s\u00e9", r"\u00a0%s, ok", r"(\"%s\")"])
def test_a_value_of_a_known_form_is_found_once(kind: str, text: str, around: str, fast: bool) -> None:
    assert kinds(around % text, fast) == [kind]


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_a_value_at_both_ends_of_a_block_is_found(kind: str, text: str, fast: bool) -> None:
    (hit,) = Scanner(0 if fast else EVER).scan(text.encode())
    assert hit == (kind, text.find("sig=") if kind == "azure_sas" else 0)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("text", MISSED)
def test_a_near_miss_is_not_found(text: str, fast: bool) -> None:
    assert kinds(f"it is {text}, and so on", fast) == []


def test_every_kind_has_an_example_here() -> None:
    assert {kind for kind, _ in FOUND} == set(KINDS)


def test_a_hit_says_where_and_not_what() -> None:
    (hit,) = Scanner().scan(memoryview(b"say AKIA" + b"QZ3WX4EC5RV6TB7Y"))
    assert hit == ("aws_access_key", 4)
    assert "QZ3W" not in repr(hit)


@pytest.mark.parametrize(
    ("digits", "holds"), [(b"0", True), (b"18", True), (b"79927398713", True), (b"79927398710", False)]
)
def test_luhn_follows_the_standard(digits: bytes, holds: bool) -> None:
    assert luhn(digits) is holds


PIECES = st.sampled_from(
    [text for _, text in FOUND]
    + MISSED
    + ["\\n", "\\u00a0", " ", "-", ".", "+", "(", ") ", "1", "23", "4567", "a", "@"]
)
LINES = st.lists(st.one_of(PIECES, st.text("0123456789 .()+-@aZ\\n_é", max_size=24)), max_size=8).map("".join)


@given(st.lists(LINES, min_size=1, max_size=6))
def test_a_line_has_the_same_hits_alone_as_in_its_block_and_both_ways_agree(lines: list[str]) -> None:
    raw = [text.encode() + b"\n" for text in lines]
    alone, offset = [], 0
    plain, fast = Scanner(EVER), Scanner(0)
    for one in raw:
        alone += [(span.kind, span.start + offset, span.end + offset) for span in plain.spans(one)]
        offset += len(one)
    assert plain.spans(b"".join(raw)) == alone
    assert fast.spans(b"".join(raw)) == alone


@given(st.one_of(st.binary(max_size=300), LINES.map(str.encode)))
def test_any_bytes_give_the_same_answer_both_ways(data: bytes) -> None:
    assert Scanner(0).spans(data) == Scanner(EVER).spans(data)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_a_span_covers_the_value_and_no_more(kind: str, text: str, fast: bool) -> None:
    block = line(f"it is {text}, ok")
    (span,) = Scanner(0 if fast else EVER).spans(bytearray(block))
    assert span.kind == kind
    assert block[span.start : span.end] == text[text.find("sig=") if kind == "azure_sas" else 0 :].encode()


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("+442071838750 12 people", "+442071838750"),
        ("+44 20 7183 8750 12 people", "+44 20 7183 8750"),
        ("+1 (415) 867-5309 2 times", "+1 (415) 867-5309"),
        ("+49 171 1234567 20 times", "+49 171 1234567"),
        ("+33 6 12 34 56 78 90 euros", "+33 6 12 34 56 78"),
        ("+44 (0)20 7183 8750", "+44 (0)20 7183 8750"),
        ("DE89 3704 0044 0532 0130 00 EUR", "DE89 3704 0044 0532 0130 00"),
        ("RO49 AAAA 1B31 0075 9384 0000", "RO49 AAAA 1B31 0075 9384 0000"),
    ],
)
def test_what_stands_after_a_number_is_no_part_of_it(text: str, value: str, fast: bool) -> None:
    spans = Scanner(0 if fast else EVER).spans(text.encode())
    assert [text[span.start : span.end] for span in spans] == [value]


def test_without_hyperscan_the_same_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    block = b"".join(line(text) for _, text in FOUND)
    expected = Scanner(0).scan(block)
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert Scanner(0).scan(memoryview(block)) == expected


def test_a_scanner_that_turns_fast_in_its_course_finds_the_same() -> None:
    block = b"".join(line(text) for _, text in FOUND)
    scanner = Scanner(2 * len(block))
    assert scanner.scan(block) == scanner.scan(block) == scanner.scan(block)


FLOODS = ["@", "a@b.co", "9", "12 ", "1 ", "+1", "sk-", " eyJ", "eyJ", "DE89 ", "4111 ", "4539 ", "ghp_", "T3BlbkFJ"]
FLOODS += [
    "sk-T3BlbkFJ",
    "1700000000,",
    "+123456789",
    "999999999a",
    "&sig=",
    "glpat-",
    "AKIA",
    "\\u00a0123 ",
    "a.",
    "- ",
]


@pytest.mark.parametrize("flood", FLOODS)
def test_values_in_a_flood_are_found_both_ways(flood: str) -> None:
    """A block with a place every few bytes is read by the patterns alone, and gives what its lines give."""
    lines = [line(flood * (3000 // len(flood)))] * 6 + [line(text) for _, text in FOUND]
    alone = [hit.kind for one in lines for hit in Scanner(EVER).scan(one)]
    block = b"".join(lines)
    assert [hit.kind for hit in Scanner(0).scan(block)] == [hit.kind for hit in Scanner(EVER).scan(block)] == alone


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_costs_in_proportion_to_its_length(flood: str, fast: bool) -> None:
    """Counted in calls of functions: 4 times the bytes, at most 5 times the calls, and never one a byte."""
    scanner = Scanner(0 if fast else EVER)
    scanner.scan(line("eyJ sig= T3BlbkFJ"))
    few, many = (_calls(scanner, flood.encode() * (size // len(flood))) for size in (20_000, 80_000))
    assert many < 5 * few + 200
    assert many < 80_000


def _calls(scanner: Scanner, block: bytes) -> int:
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        scanner.scan(block)
    finally:
        sys.setprofile(before)
    return count
