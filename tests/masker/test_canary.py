"""A planted value never shows in an error, a log line or a plan, whatever goes wrong."""

import io
import logging

import pyarrow as pa
import pytest

import masker
from masker import MaskError
from masker.arrow.sources import source
from masker.keys import Keyring
from tests.masker.conftest import ring

CANARY = "CANARY7391\u00e9"
KEYS = ring("active")
DOMAINS = {
    "id": {"mask": "token"},
    "digits": {"mask": "fpe", "alphabet": "0123456789"},
    "luhn": {"mask": "fpe", "alphabet": "0123456789", "luhn": "valid"},
    "mail": {"mask": "email"},
    "visit": {"mask": "date_shift", "days": 3},
}
JSON = {"mask": "json", "paths": {"a": {"domain": "digits"}}}
FORMAT = {"format": "%Y-%m-%d"}

VALUE_ERRORS = [
    ({"domain": "digits"}, CANARY),
    ({"domain": "luhn"}, "7391739173917391"),
    ({"domain": "mail"}, CANARY),
    ({"domain": "visit", "entity": "c", **FORMAT}, CANARY),
    ({"mask": "generalize", "to": "zip3"}, "\u00e9" + CANARY),
    ({"mask": "generalize", "to": "network"}, CANARY),
    ({"mask": "generalize", "to": "month", **FORMAT}, CANARY),
    ({"mask": "generalize", "to": "round", "step": 5, "format": "number"}, CANARY),
    (JSON, CANARY),
    (JSON, f'{{"a": "{CANARY}"}}'),
    (JSON, f'{{"a": ["{CANARY}"]}}'),
    (JSON, f'{{"b": "{CANARY}"}}'),
    (JSON, f'{{"a": "1", "a": "{CANARY}"}}'),
    (JSON, f'{{"a": "\\ud800{CANARY}"}}'),
]


def everything_said(error, caplog):
    """The error with all it was raised from, and the log."""
    said, seen = [caplog.text], set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(said)


@pytest.mark.parametrize(("rule", "value"), VALUE_ERRORS, ids=[f"{n}" for n in range(len(VALUE_ERRORS))])
@pytest.mark.parametrize("shape", ["plain", "dictionary", "list"])
def test_no_value_error_says_the_value(rule, value, shape, caplog):
    caplog.set_level(logging.DEBUG)
    array, column = pa.array([value, None]), "c"
    if shape == "dictionary":
        array = array.dictionary_encode()
    if shape == "list":
        array, column = pa.array([[value, None], None]), "c[]"
    if "entity" in rule:
        table = pa.table({"c": array, "who": ["x", "y"]})
        rules = [{"column": column, "rule": "r", **rule, "entity": "who"}, {"column": "who", "mask": "clear"}]
    else:
        table, rules = pa.table({"c": array}), [{"column": column, "rule": "r", **rule}]
    plan = masker.plan(table.schema, rules, DOMAINS, key_version=1)
    with pytest.raises(MaskError) as caught:
        masker.mask(table, plan, KEYS)
    said = everything_said(caught.value, caplog)
    assert value not in said
    assert "CANARY" not in said
    assert "CANARY7391" not in plan.to_json()


def test_no_unmask_error_says_the_token(caplog):
    for rule in ("id", "mail", "digits"):
        table = pa.table({"c": [CANARY]})
        plan = masker.plan(
            table.schema, [{"column": "c", "domain": rule}], DOMAINS, masked_version=1, direction="unmask"
        )
        with pytest.raises(MaskError) as caught:
            masker.unmask(table, plan, KEYS)
        assert "CANARY" not in everything_said(caught.value, caplog)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", f"a,b\n1,2,{CANARY}\n"),
        ("x.csv", f'a,b\n"{CANARY},2\n'),
        ("x.jsonl", f"{{{CANARY}\n"),
        ("x.parquet", CANARY),
        ("x.arrow", CANARY),
        ("x.arrow", f"ARROW1{CANARY}"),
        ("x.arrows", CANARY),
    ],
)
def test_no_file_error_says_the_line(tmp_path, name, text, caplog):
    (tmp_path / name).write_text(text)
    rules = [{"column": "record", "mask": "json", "paths": {"a": {"mask": "clear"}}}]

    def run():
        with source(str(tmp_path / name)) as opened:
            for batch in opened.batches():
                masker.mask(batch, masker.plan(batch.schema, rules))

    with pytest.raises(MaskError) as caught:
        run()
    assert "CANARY" not in everything_said(caught.value, caplog)


def test_no_key_error_says_the_file(tmp_path, caplog):
    for text in (
        CANARY,
        f'{{"format": 1, "realm": "r", "keys": [{{"secret": "{CANARY}"}}]}}',
        f'{{"format": "{CANARY}"}}',
    ):
        (tmp_path / "k").write_text(text)
        (tmp_path / "k").chmod(0o600)
        with pytest.raises(MaskError) as caught:
            Keyring.load(tmp_path / "k")
        assert "CANARY" not in everything_said(caught.value, caplog)


def test_outputs_hold_no_freed_memory():
    """A zeroed output shows nothing of earlier values, whatever the heap held."""
    secrets = pa.table({"c": [f"{CANARY}-{number}" for number in range(20_000)]})
    rules = [{"column": "c", "domain": "id"}]
    masker.mask(secrets, masker.plan(secrets.schema, rules, DOMAINS, key_version=1), KEYS)
    del secrets
    nulls = pa.table({"c": pa.array([None, "x"] * 20_000, pa.string()), "n": pa.array([None, 1] * 20_000, pa.int64())})
    rules = [{"column": name, "mask": "clear"} for name in ("c", "n")]
    made = masker.mask(nulls, masker.plan(nulls.schema, rules))
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made)
    assert b"7391" not in sink.getvalue()
    assert not any(made["n"].chunk(0).buffers()[1].to_pybytes()[place] for place in range(0, 160_000, 16))
