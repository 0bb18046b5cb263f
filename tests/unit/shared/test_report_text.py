"""Hostile strings on the report's page: escaped, cut, isolated, what can't be seen made visible."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.reports.text import beginning, ending, plain, shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\u202eabc", "U+202E"),
        ("us\u200ber", "U+200B"),
        ("us\u200der", "U+200D"),
        ("\ufeff{", "BOM"),
        ("\x00", "NUL"),
        ("\x1b[31m", "ESC"),
        ("\U000e0041", "U+E0041"),
        ("\ud800", "U+D800"),
        ("a" + "\u0336" * 30, "30 marks"),
        ("a\rb", "CR"),
    ],
)
def test_what_cannot_be_seen_is_told(text: str, told: str) -> None:
    assert f">{told}</span>" in shown(text)
    assert f"[{told}]" in plain(text)


def test_joiners_of_scripts_and_emoji_stay_as_they_are() -> None:
    for text in ("👩\u200d🔬", "می\u200cخواهم", "a\nb", "a\r\nb", "e\u0301"):
        assert "hidden" not in shown(text)


def test_a_piece_of_a_broken_line_shows_tabs_and_line_ends() -> None:
    assert re.findall(r">(\w+)</span>", shown("a\tb\r\nc", raw=True)) == ["TAB", "CR", "LF"]


def test_a_space_that_does_not_break_is_underlined() -> None:
    assert shown("a\u00a0b") == '<bdi>a<span class="gap">\u00a0</span>b</bdi>'


def test_a_long_string_is_cut_and_says_so() -> None:
    assert shown("x" * 1_000_000, 5) == '<bdi>xxxxx</bdi> <span class="more">… 999,995 more characters</span>'
    assert plain("x" * 1_000_000, 5) == "xxxxx…"
    assert "… 45 more characters" in shown("x" * 5, 5, whole=50)
    assert shown("x" * 5, 5) == "<bdi>xxxxx</bdi>"


def test_before_a_marked_place_the_end_is_kept_and_after_it_the_beginning() -> None:
    assert ending("abcdef", 3) == "…<bdi>def</bdi>"
    assert beginning("abcdef", 3) == "<bdi>abc</bdi>…"


@settings(deadline=None)
@given(st.text())
@example("<script>")
@example("\u2066\u2069\u202a")
def test_no_markup_and_no_control_comes_through(text: str) -> None:
    body = re.sub(r"</?(bdi|span)( class=\"[a-z]+\")?( title=\"[a-z0-9 -]+\")?>", "", shown(text))
    assert "<" not in body
    assert '"' not in body
    for told in (shown(text), plain(text)):
        assert not [c for c in told if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r"]
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", told)


@settings(deadline=None)
@given(st.text(alphabet="&<\"'\u202e\x00\u00a0a😀", min_size=2000, max_size=2500))
def test_a_string_takes_a_bounded_room(text: str) -> None:
    assert len(shown(text, 300).encode()) < 300 * 8 + 100
