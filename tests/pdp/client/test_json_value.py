"""Values that JSON lacks have one form each, and what has none is named by its path."""

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from pydantic import BaseModel, Field

from pdp.client.json_value import NoJsonForm, json_value
from pdp.client.question import struct
from pdp.text import Text


class Level(Enum):
    HIGH = "high"
    ODD = ("a", 1)


class Colour(StrEnum):
    LISTED = "[red]"


class Number(IntEnum):
    TWO = 2


class Order(BaseModel):
    at: datetime
    lines: list[Decimal] = Field(default_factory=list)


NOON = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)
FORMS: dict[str, tuple[Any, Any]] = {
    "what JSON has": ({"a": [None, True, 1, 1.5, "x"]}, {"a": [None, True, 1, 1.5, "x"]}),
    "a tuple": ((1, (2,)), [1, [2]]),
    "a dict of a kind": (OrderedDict(b=1, a=(2,)), {"b": 1, "a": [2]}),
    "an instant": (NOON, "2026-11-29T12:30:00Z"),
    "an instant elsewhere": (NOON.astimezone(timezone(timedelta(hours=2))), "2026-11-29T14:30:00+02:00"),
    "a date": (date(2026, 11, 29), "2026-11-29"),
    "a UUID": (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    "a path": (PurePosixPath("/data/[a].csv"), "/data/[a].csv"),
    "an enum": (Level.HIGH, "high"),
    "an enum of others": (Level.ODD, ["a", 1]),
    "an enum of text": (Colour.LISTED, "[red]"),
    "an enum of numbers": (Number.TWO, 2),
    "a decimal": (Decimal("1.10"), "1.10"),
    "a model": (Order(at=NOON, lines=[Decimal("2.50")]), {"at": "2026-11-29T12:30:00Z", "lines": ["2.50"]}),
    "an integer of numpy": (np.int64(7), 7),
}


@pytest.mark.parametrize("name", FORMS)
def test_value_has_its_form_also_inside_of_others(name: str) -> None:
    value, form = FORMS[name]
    made = json_value([{"in": value}], "a")[0]["in"]
    assert made == form
    assert type(made) in {str, Text, int, list, dict}
    sent = struct({"in": value}, "context")
    assert sent is not None
    assert dict(sent)["in"] == form


REFUSED: dict[str, tuple[Any, str]] = {
    "an object": (object(), r"a\[0\].in is a value of type object, which has no JSON form"),
    "a set": ({1}, r"a\[0\].in is a value of type set"),
    "bytes": (b"x", r"a\[0\].in is a value of type bytes"),
    "an array": (np.zeros(2), r"a\[0\].in is a value of type ndarray"),
    "an instant without a zone": (NOON.replace(tzinfo=None), r"a\[0\].in is a datetime without a time zone"),
    "a decimal without a number": (Decimal("NaN"), r"a\[0\].in is NaN, which has no JSON form"),
    "names that are no text": ({1: 2}, r"a\[0\].in has a name of type int"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_value_without_a_form_is_named_by_its_path(name: str) -> None:
    value, why = REFUSED[name]
    with pytest.raises(NoJsonForm, match=why):
        json_value([{"in": value}], "a")


def test_list_that_holds_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NoJsonForm, match="more than 64 levels deep"):
        json_value(endless, "a")


def test_path_that_begins_like_json_is_text() -> None:
    assert isinstance(json_value(Path("[a]"), "a"), Text)
