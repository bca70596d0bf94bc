"""What a call's arguments hold is copied with its types; what stands for something outside is not."""

import sqlite3
import threading
from array import array
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
from pydantic import BaseModel

from pdp.client.argument_copies import copied


class Order(BaseModel):
    lines: list[str]


@dataclass
class Query:
    tables: list[str]
    connection: Any = None
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Frozen:
    tables: list[str]


class Row(NamedTuple):
    cells: list[str]


class Names(list[str]):
    note = "kept"


DATA: list[Any] = [
    ["a", ["b"]],
    {"a": {"b": [1]}},
    {"a", "b"},
    (["a"], "b"),
    bytearray(b"ab"),
    deque(["a"], maxlen=3),
    array("i", [1, 2]),
    OrderedDict(b=[1], a=[2]),
    defaultdict(list, a=[1]),
    Order(lines=["a"]),
    Query(["a"]),
    Frozen(["a"]),
    Row(["a"]),
    Names(["a"]),
]


@pytest.mark.parametrize("value", DATA, ids=lambda value: type(value).__name__)
def test_data_is_copied_with_its_type(value: Any) -> None:
    made, failed = copied({"value": value})
    assert (made["value"], type(made["value"]), failed) == (value, type(value), [])
    assert made["value"] is not value


def test_no_list_inside_is_shared_with_the_original() -> None:
    originals = {"rows": [["a"]], "order": Order(lines=["a"]), "query": Query(["a"]), "row": Row(["a"])}
    made, _ = copied(originals)
    originals["rows"][0].append("b")  # type: ignore[index]
    for name in ("order", "query", "row"):
        for held in (vars(originals[name]) if name != "row" else originals[name]._asdict()).values():  # type: ignore[attr-defined]
            if isinstance(held, list):
                held.append("b")
    assert made["rows"] == [["a"]]
    assert made["order"].lines == made["query"].tables == made["row"].cells == ["a"]


def test_array_is_copied() -> None:
    numbers = np.array([1, 2])
    made, _ = copied({"numbers": numbers})
    numbers[0] = 9
    assert made["numbers"].tolist() == [1, 2]


def test_what_is_outside_stays_the_very_same_also_inside_of_others() -> None:
    connection, lock = sqlite3.connect(":memory:"), threading.Lock()
    query = Query(["a"], connection)
    made, failed = copied({"lock": lock, "query": query, "listed": [connection, sys_like]})
    assert made["lock"] is lock
    assert made["query"] is not query
    assert made["query"].tables is not query.tables
    assert made["query"].connection is made["listed"][0] is connection
    assert made["listed"][1] is sys_like
    assert failed == []
    connection.close()


def test_what_two_arguments_share_stays_shared_and_circles_end() -> None:
    shared: list[Any] = ["a"]
    shared.append(shared)
    made, _ = copied({"one": shared, "two": {"in": shared}})
    assert made["one"] is made["two"]["in"] is made["one"][1]


class Sealed(list[str]):
    def __deepcopy__(self, memo: object) -> "Sealed":
        raise RuntimeError("not this one")


def test_data_that_does_not_let_itself_be_copied_is_told() -> None:
    value = Sealed(["a"])
    made, failed = copied({"value": value, "other": [1]})
    assert made["value"] is value
    assert failed == ["value"]


def sys_like() -> None:
    """A function, which is no data."""
