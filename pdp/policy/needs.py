"""What builtins need to be typed: those that take a wrong type for an answer, or whose rule OPA leaves out for it.

A test calls every builtin of OPA with every kind of JSON value: an argument stands here, or in `ANYTHING`, if values of
two kinds or more do not fail. Under `strict-builtin-errors` all others fail the query, which decides nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Need(NamedTuple):
    """The kinds that an argument may have, the one to write into a schema first; one of them, or `one=False` any.

    `why` says what happens to other values; `{}` in it is the builtin, as authors write it.
    """

    kinds: tuple[str, ...]
    why: str
    one: bool = True


ORDERINGS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">="}
"""They compare values of any two kinds: null and booleans sort below numbers, everything else above."""

ORDERED = Need(("number", "string"), "null and true are below every number, every text above, so `{}` takes them all")
PARTS = "`{}` compares lists and objects part by part, and null and true are below every number, every text above"
ITERATED = Need(("array", "object"), "over anything but a list `{}` finds nothing, and nothing fails")
STATED = Need(("boolean",), "every value but false makes it true: null, 0 and an empty text, too")
"""What a statement needs that is only a value: `input.context.urgent`, or `not input.context.urgent`."""
_TEXT = Need(("string",), "`{}` is false for other values, and does not fail")
_INDEXED = Need(
    ("string",), "for anything but a text OPA's rule index leaves out the rule with `{}`, and nothing fails"
)
_INDEXED_LIST = Need(("string", "array"), _INDEXED.why)
_ADDRESSES = Need(("array", "string", "object"), "`{}` looks through values of several kinds, each in its own way")
_GRAPHQL = Need(("string", "object"), _TEXT.why)
_TIME = Need(("number", "array"), "`{}` takes a list of a time and any zone, too")
_NAMES = Need(("array", "object"), "`{}` takes both lists and objects for names")

NEEDS: Mapping[tuple[str, int], Need] = {
    ("count", 0): Need(
        ("array", "object", "string"), "`{}` counts the letters of a text and the members of an object, too"
    ),
    ("internal.member_2", 1): ITERATED,
    ("internal.member_3", 2): ITERATED,
    ("walk", 0): ITERATED,
    ("startswith", 0): _INDEXED,
    ("endswith", 0): _INDEXED,
    ("glob.match", 1): Need(("array", "null"), "to `{}` null stands for other delimiters"),
    ("glob.match", 2): _INDEXED,
    ("strings.any_prefix_match", 0): _INDEXED_LIST,
    ("strings.any_prefix_match", 1): Need(("array", "string"), "`{}` takes a text for one prefix"),
    ("strings.any_suffix_match", 0): _INDEXED_LIST,
    ("strings.any_suffix_match", 1): Need(("array", "string"), "`{}` takes a text for one suffix"),
    ("base64.is_valid", 0): _TEXT,
    ("json.is_valid", 0): _TEXT,
    ("net.cidr_is_valid", 0): _TEXT,
    ("regex.is_valid", 0): _TEXT,
    ("semver.is_valid", 0): _TEXT,
    ("uri.is_valid", 0): _TEXT,
    ("yaml.is_valid", 0): _TEXT,
    ("graphql.is_valid", 0): _GRAPHQL,
    ("graphql.is_valid", 1): _GRAPHQL,
    ("graphql.parse", 0): _GRAPHQL,
    ("graphql.parse_and_verify", 0): _GRAPHQL,
    ("graphql.parse_and_verify", 1): _GRAPHQL,
    ("graphql.schema_is_valid", 0): _GRAPHQL,
    ("net.cidr_contains_matches", 0): _ADDRESSES,
    ("net.cidr_contains_matches", 1): _ADDRESSES,
    ("object.filter", 1): _NAMES,
    ("object.remove", 1): _NAMES,
    ("time.add_date", 0): _TIME,
    ("time.clock", 0): _TIME,
    ("time.date", 0): _TIME,
    ("time.diff", 0): _TIME,
    ("time.diff", 1): _TIME,
    ("time.format", 0): _TIME,
    ("time.weekday", 0): _TIME,
    ("to_number", 0): Need(("number", "string"), "`{}` makes 0 of null and 1 of true", one=False),
    **{(name, side): ORDERED for name in ORDERINGS for side in (0, 1)},
}

ANYTHING = {
    ("assign", 0),
    ("assign", 1),
    ("eq", 0),
    ("eq", 1),
    ("equal", 0),
    ("equal", 1),
    ("neq", 0),
    ("neq", 1),
    ("internal.member_2", 0),
    ("internal.member_3", 0),
    ("internal.member_3", 1),
    ("is_array", 0),
    ("is_boolean", 0),
    ("is_null", 0),
    ("is_number", 0),
    ("is_object", 0),
    ("is_set", 0),
    ("is_string", 0),
    ("json.marshal", 0),
    ("json.marshal_with_options", 0),
    ("object.get", 1),
    ("object.get", 2),
    ("type_name", 0),
    ("yaml.marshal", 0),
}
"""Arguments whose every value has a right answer: equal or not, of a kind or not, written as text."""

GUARDS = {
    "is_number": "number",
    "is_string": "string",
    "is_array": "array",
    "is_object": "object",
    "is_boolean": "boolean",
}
"""Questions about a value's kind, which make it known in the rest of the body."""
