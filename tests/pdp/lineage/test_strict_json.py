import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.errors import InvalidRequest
from pdp.lineage.strict_json import canonical, loads

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab[{:"\\', max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text('ab]}:"\\', max_size=3), values, max_size=3), st.sampled_from([None, 1]))
def test_object_is_read_as_json_reads_it(members: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(members, indent=indent).encode()
    assert loads(text) == members
    assert canonical(loads(text)) == canonical(loads(json.dumps(members, sort_keys=True).encode()))


def test_nesting_of_64_levels_is_read_and_brackets_in_texts_are_none() -> None:
    assert loads(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")
    assert loads(b'{"a":"' + b"[{" * 100 + b'\\"[[["}')
    with pytest.raises(InvalidRequest, match="nests deeper than 64 levels"):
        loads(b'{"a":' + b"[" * 64 + b"]" * 64 + b"}")
    with pytest.raises(InvalidRequest, match="nests deeper than 64 levels"):
        loads(b'{"a":[' * 33 + b"]}" * 33)
    with pytest.raises(InvalidRequest, match="nests deeper than 64 levels"):
        loads(b"[" * 70)


def test_numbers_beyond_what_a_double_keeps_are_read() -> None:
    assert loads(b'{"rows":9223372036854775807,"size":123456789012345678901234567890}')["rows"] == 2**63 - 1


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'{"a":1,"a":2}', "a"),
        (b'{"a":1,"a":"1"}', "a"),
        (b'{"a":1,"a":1.0}', "a"),
        (b'{"a":1,"a":true}', "a"),
        (b'{"a":1,"\\u0061":2}', "a"),
        (b'{"a":[],"a":{}}', "a"),
        (b'{"a":1,"a":1,"a":2}', "a"),
        (b'{"a":[{},{"b":{"two words":1,"two words":2}}]}', 'a[1].b["two words"]'),
        (b'{"a":{"b":1,"b":2},"a":{"b":1,"b":2}}', "a.b"),
        (b'{"a":{"b":1},"a":{"b":1,"b":1}}', "a"),
    ],
)
def test_name_with_two_values_is_refused_with_its_path(text: bytes, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        loads(text)
    assert refused.value.violations == ((path, "stands in its object twice, with different values; send it once"),)


def test_name_that_stands_twice_with_one_value_is_read() -> None:
    """As the listener of Spark writes it, for jobs of RDDs."""
    engine = b'"processing_engine": {"name": "spark", "version": [4, {"minor": 0.1}]}'
    twice = b'{"run": {"facets": {%s, "other": null, %s}}}' % (engine, engine)
    assert canonical(loads(twice)) == canonical(loads(b'{"run": {"facets": {"other": null, %s}}}' % engine))


@given(st.binary(max_size=30))
def test_bytes_are_an_object_or_are_refused(text: bytes) -> None:
    try:
        assert isinstance(loads(text), dict)
    except InvalidRequest as refused:
        [(path, _)] = refused.violations
        assert path
