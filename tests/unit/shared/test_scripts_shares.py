"""Languages by script: what share of the letters each has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datasets.counts import scripts

SAMPLES = {
    "Latin": "Größe, naïve, Việt Nam ½ ﬁ Ａ",
    "Greek": "Ἐν ἀρχῇ καλημέρα",
    "Cyrillic": "Привет, мир! ґ",
    "Armenian": "Բարեւ",
    "Hebrew": "שָׁלוֹם עולם",
    "Arabic": "مرحبا بالعالم ﷲ",
    "Devanagari": "नमस्ते दुनिया",
    "Bengali": "ওহে বিশ্ব",
    "Tamil": "வணக்கம்",
    "Thai": "สวัสดีชาวโลก",
    "Georgian": "გამარჯობა",
    "Hangul": "안녕하세요 세계",
    "Han": "你好，世界𠀀々",
    "Japanese": "こんにちは、世界の皆さん。ﾃｽﾄ",
    "Other scripts": "ᚠᚢᚦᚨᚱᚲ",
}


@pytest.mark.parametrize(("script", "text"), SAMPLES.items())
def test_each_script_is_known_by_its_letters_and_marks(script: str, text: str) -> None:
    assert scripts.shares([text]) == [(script, 1.0)]


def test_shares_are_of_letters_over_all_texts_the_largest_first() -> None:
    assert scripts.shares(["abcdef 123 !?", "где", ""]) == [("Latin", 6 / 9), ("Cyrillic", 3 / 9)]


@pytest.mark.parametrize("text", ["", "123 + 456 = 579", "😀👍🏽 → ❤️", "\n\t  ", "１２３", "、。「」"])
def test_digits_signs_and_emoji_are_no_language(text: str) -> None:
    assert scripts.shares([text]) == []


def test_chinese_that_quotes_one_japanese_word_stays_han() -> None:
    text = "我昨天在东京的一家小店里买了一本关于日本历史的旧书，书名叫做の。"
    assert set(scripts.letters(text)) == {"Han", "Japanese"}
    assert scripts.shares([text])[0][0] == "Han"


def test_an_accent_of_its_own_belongs_to_latin() -> None:
    assert scripts.letters("e\u0301") == {"Latin": 2}


@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_texts_have_shares_that_make_one_whatever_their_order(texts: list[str]) -> None:
    found = scripts.shares(texts)
    assert not found or sum(share for _, share in found) == pytest.approx(1)
    assert scripts.shares(reversed(texts)) == found


@given(st.text(alphabet=st.characters(), max_size=60))
def test_lone_surrogates_and_everything_else_are_counted_without_an_error(text: str) -> None:
    assert sum(scripts.letters(text).values()) <= len(text)
