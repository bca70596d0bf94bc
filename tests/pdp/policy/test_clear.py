"""`"*"` with `clear` beside a mask that may not apply."""

import pytest

from pdp.policy.clear import beside
from pdp.policy.reference import definitions
from tests.pdp.policy.test_total import parsed

KNOWN = {
    "rest": ["*"],
    "plain": ["city"],
    "masks": [{"rule": "m", "reason": "r", "columns": ["*"], "mask": "clear"}],
    "odd_masks": [{"mask": ["a"]}, 1, {"columns": [{}, "*"], "mask": "clear"}],
    "plain_masks": [{"rule": "m", "reason": "r", "columns": ["city"], "mask": "clear"}],
}
DATA = KNOWN | {"column_tags": {"customers": {"ssn": ["pii"], "mail": ["contact"], "city": [], "order_id": ["key"]}}}
REST = 'mask contains {"rule": "m.rest", "reason": "the rest", "columns": ["*"], "mask": "clear"}'
LIBRARY = """
package lib.who

outside if input.context.purpose == "report"

table := input.resource.id

of_the_caller(x) if x == input.caller.identity

is_table(x) if x == "customers"

rest := ["*"]

plain := ["city"]
"""
APPLIES = {
    "always": "true",
    "by the resource": 'input.resource.type == "table"\n\tinput.resource.id == "customers"',
    "by data of the resource": "input.resource.id in data.customer_tables",
    "by a helper of the resource": 'who.table == "customers"',
    "by a function of the resource": "who.is_table(input.resource.id)",
    "for each of some data": "some _ in data.customer_tables[input.resource.id]",
}
MAY_NOT = {
    "by the context": 'input.context.purpose == "report"',
    "unless the context": 'not input.context.purpose == "report"',
    "by the subject": "not input.subject.id in data.stewards",
    "by the action": 'input.action.name == "mask"',
    "by a property": '"pii" in input.resource.properties.tags',
    "by the whole request": "data.allowed[json.marshal(input)]",
    "by a computed step": 'some step in ["id"]\n\tinput.resource[step] == "customers"',
    "by a helper": "who.outside",
    "by a function": "who.of_the_caller(`agent:bot`)",
    "by an argument": "who.is_table(input.context.table)",
    "for each of the request": "some _ in input.context.purposes",
    "within a comprehension": "count([x | some x in input.context.purposes]) > 0",
    "within an every": "every x in data.list {\n\t\tx != input.context.purpose\n\t}",
}


def sentences(*rules: str) -> list[str]:
    text = "package policy\n\nimport data.lib.who\n\n" + "\n\n".join(rules) + "\n"
    found = list(beside(definitions(parsed({"p.rego": text, "lib/who.rego": LIBRARY})), DATA))
    assert {finding.rule for finding in found} <= {"clear-beside-condition"}
    return [finding.sentence for finding in found]


def hides(condition: str, entry: str = '"columns": ["ssn"], "mask": "redact"') -> str:
    return f'mask contains {{"rule": "m.ssn", "reason": "hidden", {entry}}} if {{\n\t{condition}\n}}'


@pytest.mark.parametrize("name", APPLIES)
def test_mask_that_applies_by_the_resource_alone_may_have_the_rest_clear_beside_it(name: str) -> None:
    assert sentences(hides(APPLIES[name]), REST) == []


@pytest.mark.parametrize("name", MAY_NOT)
def test_mask_with_another_condition_may_not(name: str) -> None:
    (said,) = sentences(hides(MAY_NOT[name]), REST)
    assert "`m.ssn`" in said


def test_sentence_has_the_columns_to_paste() -> None:
    condition = MAY_NOT["by the context"]
    (said,) = sentences(hides(condition, '"tags": ["pii"], "mask": "redact"'), hides("true"), REST)
    assert '`"columns": ["city", "mail", "order_id"]`' in said
    named = REST.replace('"*"', '"city", "mail", "order_id"')
    assert sentences(hides(condition, '"tags": ["pii"], "mask": "redact"'), named) == []


def test_columns_that_depend_on_the_request_are_a_condition() -> None:
    columns = 'object.get(data.columns, input.subject.id, ["ssn"])'
    assert sentences(hides("true", f'"columns": {columns}, "mask": "redact"'), REST)
    prepared = f'columns := {columns}\n\tentry := {{"rule": "m", "reason": "r", "columns": columns, "mask": "redact"}}'
    assert sentences(f"mask contains entry if {{\n\t{prepared}\n}}", REST)


def test_reason_may_depend_on_the_request() -> None:
    reason = 'sprintf("for %v", [object.get(input.context, "purpose", "?")])'
    entry = f'entry := {{"rule": "m", "reason": {reason}, "columns": ["ssn"], "mask": "redact"}}'
    assert sentences(f"mask contains entry if {{\n\t{entry}\n}}", REST) == []


def test_clear_that_only_evaluation_shows_counts() -> None:
    computed = REST.replace('"mask": "clear"', '"mask": data.mask_of_the_rest')
    assert sentences(hides(MAY_NOT["by the context"]), computed)


def test_another_mask_of_the_rest_hides_all_the_same() -> None:
    assert sentences(hides(MAY_NOT["by the context"]), REST.replace('"clear"', '"redact"')) == []


def test_mask_that_is_clear_itself_hides_nothing() -> None:
    assert sentences(hides(MAY_NOT["by the context"], '"columns": ["city"], "mask": "clear"'), REST) == []


APART = {
    "two names": ('input.resource.id == "customers"', 'input.resource.id == "orders"', True),
    "a name on either side": ('"customers" == input.resource.id', 'input.resource.id in {"orders", "items"}', True),
    "two types": ('input.resource.type == "table"', 'input.resource.type == "file"', True),
    "the same name": ('input.resource.id == "customers"', 'input.resource.id in {"customers", "items"}', False),
    "a name that is not": ('not input.resource.id == "customers"', 'input.resource.id == "orders"', False),
    "names of the data": ("input.resource.id in data.customer_tables", 'input.resource.id == "orders"', False),
    "a type and a name": ('input.resource.type == "table"', 'input.resource.id == "orders"', False),
}


@pytest.mark.parametrize("name", APART)
def test_rules_for_different_tables_are_not_beside_each_other(name: str) -> None:
    one, other, apart = APART[name]
    rest = f"{REST} if {{\n\t{other}\n}}"
    assert (sentences(hides(f"{one}\n\tinput.context.purpose"), rest) == []) == apart


def computed(columns: str) -> str:
    return f'{{"rule": "m.rest", "reason": "r", "columns": {columns}, "mask": "clear"}}'


ALL, CITY = computed('["*"]'), computed('["city"]')
BASE = '{"rule": "m.rest", "reason": "r", "mask": "clear"}'
MAY_BE_ALL = {
    "columns of the data": (computed("data.rest"), ""),
    "columns of nothing known": (computed("data.nothing"), ""),
    "columns of a helper": (computed("who.rest"), ""),
    "a column made of parts": (computed('[concat("", ["*"])]'), ""),
    "all columns among others": (computed('["*", "city"]'), ""),
    "columns of the body": (computed("columns"), 'columns := ["*"]'),
    "columns of the request": (computed("input.context.columns"), ""),
    "columns that have tags": (computed("[name | some name, _ in data.column_tags[input.resource.id]]"), ""),
    "one of some entries": ("entry", f"some entry in [{ALL}]"),
    "one of some entries by name": ("entry", f'some _, entry in {{"a": {ALL}}}'),
    "one of the entries of the data": ("entry", "some entry in data.masks"),
    "one of odd entries of the data": ("entry", "some entry in data.odd_masks"),
    "one of entries that are not known": ("entry", "some entry in data.nothing[input.resource.id]"),
    "union": (f'object.union({BASE}, {{"columns": ["*"]}})', ""),
    "union with what is not known": (f'object.union({BASE}, {{"columns": data.nothing}})', ""),
    "union of what is not known": ('object.union(data.nothing, {"rule": "m.rest"})', ""),
    "entry of the body": ("entry", f"entry := {computed('data.rest')}"),
    "tags that are not known": ('{"rule": "m.rest", "reason": "r", "tags": data.nothing, "mask": "clear"}', ""),
    "tag of a column that is hidden": ('{"rule": "m.rest", "reason": "r", "tags": ["pii"], "mask": "clear"}', ""),
}
NAMES_COLUMNS = {
    "columns of the data": (computed("data.plain"), ""),
    "columns of a helper": (computed("who.plain"), ""),
    "columns of the body": (computed("columns"), 'columns := ["city"]'),
    "one of some entries": ("entry", f"some entry in [{CITY}]"),
    "one of the entries of the data": ("entry", "some entry in data.plain_masks"),
    "union": (f'object.union({BASE}, {{"columns": ["city"]}})', ""),
    "union that hides": ('object.union(data.nothing, {"mask": "redact"})', ""),
    "union with a domain": ('object.union(data.nothing, {"domain": "people"})', ""),
    "tag of another column": ('{"rule": "m.rest", "reason": "r", "tags": ["contact"], "mask": "clear"}', ""),
}


def by_tags(filters: str, table: str = "input.resource.id") -> str:
    return computed(f"[name | some name, tags in data.column_tags[{table}]{filters}]")


SHOWS_NONE = {
    "without the tag": (by_tags('; not "pii" in tags'), ""),
    "without tags": (by_tags("; tags == []"), ""),
    "of no tags": (by_tags("; count(tags) == 0"), ""),
    "with another tag": (by_tags('; "contact" in tags'), ""),
    "of a set": (by_tags('; not "pii" in tags').replace("[name |", "{name |").replace("tags],", "tags},"), ""),
    "in the body": (computed("names"), "names := [name | some name, tags in data.column_tags.customers; tags == []]"),
    "one by one": (computed("[name]"), 'some name, tags in data.column_tags[input.resource.id]\n\tnot "pii" in tags'),
    "of another table": (by_tags("", '"orders"'), ""),
}
SHOWS_IT = {
    "all": by_tags(""),
    "without another tag": by_tags('; not "contact" in tags'),
    "with its tag": by_tags('; "pii" in tags'),
    "by the caller": by_tags("; name in input.context.names"),
    "of its table": by_tags("", '"customers"'),
}


@pytest.mark.parametrize("name", SHOWS_NONE)
def test_columns_found_by_tags_that_no_mask_hides_may_be_clear(name: str) -> None:
    assert beside_ssn(*SHOWS_NONE[name]) == []


@pytest.mark.parametrize("name", SHOWS_IT)
def test_columns_found_by_tags_of_which_a_mask_hides_one_may_not(name: str) -> None:
    assert beside_ssn(SHOWS_IT[name], "")


def pair(one: str, other: str, columns: str = '"columns": ["ssn"]') -> list[str]:
    first = hides(one, f'{columns}, "mask": "redact"').replace('"m.ssn"', '"m.first"')
    return sentences(first, hides(other, '"columns": ["ssn"], "mask": "hash"'), REST)


def test_two_masks_that_cover_all_cases_may_have_the_rest_clear_beside_them() -> None:
    asks, denies = MAY_NOT["by the context"], MAY_NOT["unless the context"]
    of_table = 'input.resource.id == "customers"\n\t'
    assert pair(asks, denies) == []
    assert pair(denies, asks) == []
    assert pair(of_table + asks, of_table + denies) == []
    assert pair("who.outside", "not who.outside") == []


def test_two_masks_that_leave_a_case_may_not() -> None:
    asks, denies = MAY_NOT["by the context"], MAY_NOT["unless the context"]
    assert pair(asks, 'input.context.purpose != "report"')
    assert pair(asks, denies.replace("report", "audit"))
    assert pair(asks + '\n\tinput.action.name == "mask"', denies + '\n\tinput.action.name == "mask"')
    assert pair(asks, denies, '"columns": ["mail"]')
    assert pair(asks, f"{denies}\n\tnot input.subject.id in data.stewards")


def beside_ssn(entry: str, body: str) -> list[str]:
    rest = f"mask contains {entry} if {{\n\tinput.resource.type\n\t{body}\n}}"
    return sentences(hides(MAY_NOT["by the context"]), rest)


@pytest.mark.parametrize("name", MAY_BE_ALL)
def test_clear_that_may_turn_out_as_all_columns_is_found(name: str) -> None:
    (said,) = beside_ssn(*MAY_BE_ALL[name])
    assert "`m.ssn`" in said


@pytest.mark.parametrize("name", NAMES_COLUMNS)
def test_clear_of_columns_that_are_known_is_fine(name: str) -> None:
    assert beside_ssn(*NAMES_COLUMNS[name]) == []
