"""Two values with one form are not both taken: what a value holds beside its JSON form is refused, by its path."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretBytes,
    SecretStr,
    computed_field,
    field_serializer,
)

from pdp.client.hidden_state import attributes, holds_model, lacks
from pdp.client.json_value import NoJsonForm, json_value

NOON = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


class Noted(str):  # noqa: SLOT000  # it has attributes of its own
    note = ""


class Counted(int):
    pass


class Names(list[str]):
    pass


class Slotted(str):
    __slots__ = ("__way",)

    def __init__(self, _text: str) -> None:
        self.__way = "wipe"


class Spelled(str):
    __slots__ = ()

    def __hash__(self) -> int:
        return 1


class Both(Enum):
    LIST = [1]  # noqa: RUF012  # a member
    TUPLE = (1,)


class Level(StrEnum):
    HIGH = "high"


class Shade(StrEnum):
    HIGH = "high"


@dataclass
class Line:
    name: str
    count: int = field(default=1, compare=False)


class Item(BaseModel):
    name: str


class Gift(Item):
    to: str


class Excluded(BaseModel):
    name: str
    limit: int = Field(default=1, exclude=True)


class Secret(BaseModel):
    key: SecretStr | SecretBytes


class Basket(BaseModel):
    items: list[Item]


class Masked(BaseModel):
    account: str

    @field_serializer("account")
    def last(self, account: str) -> str:
        return account[-4:]


class Rounded(BaseModel):
    price: Decimal

    @field_serializer("price")
    def short(self, price: Decimal) -> str:
        return str(price.normalize())


class Private(BaseModel):
    name: str
    _way: str = PrivateAttr(default="keep")

    def by(self, way: str) -> "Private":
        self._way = way
        return self


class Total(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    cells: tuple[int, ...] = ()

    @computed_field  # type: ignore[prop-decorator]  # how pydantic has it
    @property
    def count(self) -> int:
        return len(self.cells)

    @cached_property
    def first(self) -> int:
        return self.cells[0]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")
    at: datetime
    place: UUID = Field(default=UUID(int=7), validation_alias=AliasChoices("where", "site"))
    path: PurePosixPath | None = None
    tags: set[str] = Field(default_factory=set)
    level: Level = Level.HIGH
    lines: list[Line] = Field(default_factory=list)


class Anything(BaseModel):
    value: Any


def noted(value: Any) -> Any:
    value.note = "all of it"
    return value


def remembering(total: Total, first: int) -> Total:
    total.__dict__["first"] = first
    return total


TAKEN: list[Any] = [
    Item(name="a"),
    Excluded(name="a"),
    Basket(items=[Item(name="a")]),
    Masked(account="1234"),
    Private(name="a"),
    Total(name="a", cells=(1, 2)),
    remembering(Total(name="a", cells=(1, 2)), 1),
    Strict(at=NOON, tags={"a", "b"}, lines=[Line("a", 2)], more=[1]),  # type: ignore[call-arg]  # an extra
    Anything(value=None),
    Strict(at=NOON, path=PurePosixPath("/a")),
    Anything(value={"a": [1, None, True]}),
    Noted("a"),
    np.float64(1.5),
]


@pytest.mark.parametrize("value", TAKEN, ids=lambda value: type(value).__name__)
def test_what_its_form_holds_is_taken(value: Any) -> None:
    form = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    assert json_value([value], "a") == [form]


REFUSED: dict[str, tuple[Any, str]] = {
    "a field that is left out": (Excluded(name="a", limit=2), r"a\.limit holds something that its JSON form lacks"),
    "a secret": (Secret(key=SecretStr("a")), r"a\.key is a secret"),
    "a secret of bytes": (Secret(key=SecretBytes(b"a")), r"a\.key is a secret"),
    "a subclass": (Basket(items=[Gift(name="a", to="b")]), r"a\.items\[0\] is a Gift, and .* reads back as a Item"),
    "a lossy serializer": (Masked(account="991234"), r"a\.account holds something that its JSON form lacks"),
    "a serializer that rounds": (Rounded(price=Decimal("1.10")), r"a\.price holds something"),
    "a private attribute": (Private(name="a").by("wipe"), r"a\._way holds something that its JSON form lacks"),
    "a property that remembers": (remembering(Total(name="a", cells=(1,)), 2), r"a\.first holds something"),
    "an enum of another class": (Anything(value=Shade.HIGH), r"a\.value is a Shade, and .* reads back as a str"),
    "a tuple for any value": (Anything(value=(1,)), r"a\.value is a tuple, and .* reads back as a list"),
    "a dataclass's hidden member": (
        Strict(at=NOON, lines=[noted(Line("a"))]),
        r"a\.lines\[0\] has a member|a\.lines\[0\]\.note is not in its JSON form",
    ),
    "an instant without a zone": (Strict(at=NOON.replace(tzinfo=None)), r"a\.at is a datetime without a time zone"),
    "a model of what JSON lacks": (Anything(value=object()), "a is a Anything that cannot be dumped as JSON"),
    "a number that is none": (Anything(value=float("nan")), r"a\.value is nan, which has no JSON form"),
    "text with attributes": (noted(Noted("a")), "a is a Noted with attributes that its JSON form lacks: note"),
    "text with a slot": (Slotted("a"), "a is a Slotted with attributes that its JSON form lacks: _Slotted__way"),
    "a number with attributes": (noted(Counted(1)), "a is a Counted with attributes"),
    "a list with attributes": (noted(Names(["a"])), "a is a Names with attributes"),
    "a name with attributes": ({noted(Noted("b")): 1}, r"a\.b is a Noted with attributes"),
    "names that are one text": ({"b": 1, Spelled("b"): 2}, "a has two names that are one text"),
    "members of one form": (Both.LIST, r"a is Both\.LIST, which has the same JSON form as Both\.TUPLE"),
    "a dataclass": (Line("a"), "a is a value of type Line, which has no JSON form"),
    "a span of numpy": (np.timedelta64(1, "D"), "a is a value of type timedelta64, which has no JSON form"),
    "a decimal that is no number": (Decimal("NaN"), "a is NaN, which has no JSON form: it is not a finite number"),
    "an endless number": (float("inf"), "a is inf, which has no JSON form: it is not a finite number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_its_form_lacks_is_refused_by_its_path(name: str) -> None:
    value, why = REFUSED[name]
    with pytest.raises(NoJsonForm, match=why):
        json_value(value, "a")


class Strange(Enum):
    TEXT = "a"
    NONE = object()


def test_member_is_taken_beside_one_that_has_no_form() -> None:
    assert json_value(Strange.TEXT, "a") == "a"


class Archive(Item):
    pass


class Delete(Item):
    pass


DECLARED: dict[str, tuple[Any, Any, bool]] = {
    "its class": (Archive(name="a"), Archive, True),
    "its class or nothing": (Archive(name="a"), Archive | None, True),
    "a list": ([Archive(name="a")], list[Archive], True),
    "rest of a call": ((Total(name="a", cells=(1,)),), tuple[Total, ...], True),
    "named rest of a call": ({"b": Total(name="a", cells=(1,))}, dict[str, Total], True),
    "its base": (Delete(name="a"), Item, False),
    "one of two": (Delete(name="a"), Archive | Delete, False),
    "a list of its base": ([Delete(name="a")], list[Item], False),
    "nothing": (Delete(name="a"), None, False),
    "anything": (Delete(name="a"), Any, False),
    "an unknown name": (Delete(name="a"), "Unknown", False),
}


@pytest.mark.parametrize("name", DECLARED)
def test_class_of_a_model_is_what_its_parameter_is_declared_as(name: str) -> None:
    value, kind, is_told = DECLARED[name]
    assert holds_model(value)
    assert (lacks(value, json_value(value, "a"), kind) is None) is is_told


class Row(NamedTuple):
    cells: list[str]


def test_attributes_are_those_of_the_programs_own_classes() -> None:
    plain: list[Any] = [1, "a", [1], NOON, PurePosixPath("/a"), UUID(int=7), Decimal(1), Row(["a"]), Level.HIGH]
    assert [attributes(value) for value in plain] == [{}] * len(plain)
    assert attributes(Line("a", 2)) == {"name": "a", "count": 2}
