"""Words that mix scripts, by UTS 39 at the level "highly restrictive"."""

import sys
import unicodedata

import pytest

from pdp.policy.scripts import mixed, scripts
from tools.scripts import TABLE, table


@pytest.mark.parametrize(
    "text",
    [
        *("export", "größe", "Žižek", "экспорт", "ελληνικά", "עברית", "العربية", "हिन्दी", "ไทย"),
        *(
            "日本語のテキスト",
            "カタカナとひらがな",
            "한국어漢字",
            "注音ㄅㄆ漢字",
            "NHKニュース",
            "API文書",
            "abc한국",
            "x軸",
        ),
        *(
            "user:иван",
            "отчёт_report",
            "Ελλάδα-2026",
            "3月",
            "5µm",
            "№7",
            "a\u0301",
            "\uff11\uff12",
            "naïve 文字 слово",
        ),
    ],
)
def test_words_of_one_writing_are_fine(text: str) -> None:
    assert mixed(text) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("exp\u043ert", "exp\u043ert"),
        ("\u0430gent", "\u0430gent"),
        ("user:b\u043et", "b\u043et"),
        ("p\u03b1yment", "p\u03b1yment"),
        ("a\u0301\u0430", "a\u0301\u0430"),
        ("a\u200d\u0430", "a\u200d\u0430"),
        ("scope \u0455cope", "\u0455cope"),
        ("кириллицаひら", "кириллицаひら"),
        ("ㄅひ", "ㄅひ"),
        ("한ひ", "한ひ"),
        ("\u0561bc", "\u0561bc"),
        ("\u13aabc", "\u13aabc"),
    ],
)
def test_word_of_two_writings_is_found(text: str, word: str) -> None:
    assert mixed(text) == word


def test_every_letter_has_a_script_that_its_name_agrees_with() -> None:
    wanted = {
        "LATIN": "Latn",
        "CYRILLIC": "Cyrl",
        "GREEK": "Grek",
        "HEBREW": "Hebr",
        "HANGUL": "Hang",
        "CHEROKEE": "Cher",
    }
    for code in range(sys.maxunicode + 1):
        first, _, rest = unicodedata.name(chr(code), "").partition(" ")
        if first in wanted and rest.startswith(("SMALL LETTER", "CAPITAL LETTER", "SYLLABLE")):
            assert wanted[first] in scripts(chr(code)), hex(code)


def test_what_goes_with_every_script_has_none() -> None:
    assert not any(scripts(character) for character in "0-_.:@ \u00d7\u2026\u20ac\U0001f600")


def test_table_is_as_its_generator_writes_it() -> None:
    assert table(scripts) == TABLE.read_text()
