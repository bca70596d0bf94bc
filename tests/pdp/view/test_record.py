"""What a record says is shown as it is stored: in its order, rounded nowhere, damaged or not."""

import pytest

from pdp.view.record import leaves


def shown(stored: bytes) -> list[tuple[str, str]]:
    return [(leaf.label, leaf.text) for leaf in leaves("record", stored)]


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        (b"", []),
        (b"{}", [("", "{}")]),
        (b'{"b": 1, "a": [true, null, []]}', [(".b", "1"), (".a[0]", "true"), (".a[1]", "null"), (".a[2]", "[]")]),
        (b'{"a": {"x y": "z"}}', [('.a["x y"]', '"z"')]),
        (b'{"a": 12345678901234567890, "b": 1.10}', [(".a", "12345678901234567890"), (".b", "1.10")]),
        (b'{"a": 1, "a": 2}', [(".a", "1"), (".a", "2")]),
        (b'{"a": NaN}', [(".a", "NaN")]),
        (b'{"a": "\\u202e\\ud800"}', [(".a", '"\\u{202e}\\u{d800}"')]),
    ],
)  # fmt: skip
def test_each_value_stands_with_its_path_as_it_is_written(stored: bytes, wanted: list[tuple[str, str]]) -> None:
    assert shown(stored) == [(f"record{label}", text) for label, text in wanted]


@pytest.mark.parametrize("stored", [b"{", b"\xff", b'{"a": ' + b"[" * 100_000])
def test_what_is_damaged_is_shown_as_the_text_that_it_is(stored: bytes) -> None:
    [(label, text)] = shown(stored)
    assert label == "record"
    assert text.startswith('"')
    assert len(text) >= len(stored)
