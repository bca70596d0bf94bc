"""A message as plain text: its lines, and its one link."""

import pytest

from pdp.channels import plain
from pdp.channels.notice import Aim, Note
from tests.pdp.channels.test_mail import PAGE, notice


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("see https://evil.example", "see https:\\u{2f}/evil.example"),
        ("HTTP://x WWW.x www.y", "HTTP:\\u{2f}/x WWW\\u{2e}x www\\u{2e}y"),
        ("data.www.x", "data.www\\u{2e}x"),
        ("https:\\u{2f}/x", "https:\\\\u{2f}/x"),
        ("payments.transfer a:b c/d awww.x", "payments.transfer a:b c/d awww.x"),
    ],
)
@pytest.mark.parametrize("aim", [Aim.ASK, Aim.END])
def test_address_in_a_name_is_no_link_and_differs_from_what_looks_like_it(name: str, shown: str, aim: Aim) -> None:
    text = plain.text(notice(aim, name))
    assert f"{shown} wants to: {shown} ({shown})" in text
    assert text.count("://") == 1
    assert text.rstrip().endswith(PAGE)


def test_sentence_of_ours_keeps_its_link() -> None:
    assert plain.text(Note("hello", PAGE)) == f"hello\n\n{PAGE}\n"
    assert plain.subject(Note("hello")) == "A message from Placet"
