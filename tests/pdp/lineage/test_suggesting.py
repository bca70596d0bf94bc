"""Suggestions from names and values."""

from collections.abc import Sequence

import pytest

from pdp.lineage.suggesting import NAMES, Found, Recognizer, found

EMAIL = Recognizer("test/1 email", "email", lambda value: 1.0 if "@" in value else 0.0)
PHONE = Recognizer("test/1 phone", "phone", lambda value: 0.4 if value.isdigit() else 0.0)
CARD = Recognizer("test/1 card", "credit_card", lambda value: 0.9 if len(value) == 16 else 0.0)


def of(name: str, values: Sequence[str]) -> list[Found]:
    return found({name: values}, [EMAIL, PHONE, CARD])


def test_half_of_the_values_are_enough_and_less_is_not() -> None:
    assert of("x", ["a@b", "c"]) == [Found("x", "email", 1.0, 0.5, "test/1 email")]
    assert of("x", ["a@b", "c", "d"]) == []


def test_name_that_fits_makes_a_weak_recognizer_sure_and_few_hits_enough() -> None:
    assert of("order_number", ["123", "456"]) == []
    assert of("mobilePhone", ["123", "456"]) == [Found("mobilePhone", "phone", 0.75, 1.0, "test/1 phone")]
    assert of("email", ["a@b", *"cdefghijk"]) == [Found("email", "email", 1.0, 0.1, "test/1 email")]


def test_name_alone_is_a_weak_suggestion_without_hits() -> None:
    assert of("customer_email", ["x", "y"]) == [Found("customer_email", "email", 0.4, 0.0, NAMES)]
    assert of("customer_email", []) == [Found("customer_email", "email", 0.4, 0.0, NAMES)]


def test_several_kinds_come_surest_first() -> None:
    both = of("phone", ["1234567812345678"])
    assert [(one.kind, one.score) for one in both] == [("credit_card", 0.9), ("phone", 0.75)]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("soc_sec_id", {"national_id"}),
        ("E-MAIL", {"email"}),
        ("firstName", {"name"}),
        ("CustomerIPAddress", {"ip_address", "address"}),
        ("zip", {"address"}),
        ("zipper", set()),
        ("description", set()),
        ("card.number", {"credit_card"}),
        ("", set()),
    ],
)
def test_names_are_read_word_by_word(name: str, kinds: set[str]) -> None:
    assert {one.kind for one in of(name, [])} == kinds
