"""Days of a time zone: the same for timestamps and for text, whichever file they come from."""

import datetime as dt
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import masker
from masker import zone
from masker.arrow.sources import source
from masker.declaration import SpecRefused, rule_spec
from masker.file import run

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
SECONDS = st.integers(-2_200_000_000, 7_200_000_000)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
UNITS = {"s": 1, "ms": 1000, "us": 1_000_000}


@given(st.lists(SECONDS, min_size=1, max_size=20), st.sampled_from(ZONES), st.sampled_from([*UNITS]))
def test_a_zones_clock_shows_what_python_says(seconds, name, unit):
    counts = np.array(seconds, np.int64) * UNITS[unit]
    shown, beyond = zone.local(counts, 86_400 * UNITS[unit], name)
    assert not beyond.any()
    for second, got in zip(seconds, shown, strict=True):
        moment = EPOCH + dt.timedelta(seconds=second)
        if moment.year >= 1950:  # before, local mean times end within a quarter of an hour
            offset = moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
            assert got == (second + int(offset.total_seconds())) * UNITS[unit]


@pytest.mark.parametrize("name", ZONES)
def test_midnight_of_a_zone_is_an_instant_that_shows_midnight(name):
    days = np.arange(-7300, 25_000, 7, dtype=np.int64) * 86_400
    shown, _ = zone.local(zone.instants(days, 86_400, name), 86_400, name)
    assert ((shown - days) // 3600 <= (24 if name == "Pacific/Apia" else 1)).all()  # clocks skip hours, or days


def test_what_64_bits_cannot_hold_is_said():
    counts = np.array([np.iinfo(np.int64).max, np.iinfo(np.int64).min, 0])
    assert zone.local(counts, 86_400 * 10**9, "Asia/Kolkata")[1].tolist() == [True, False, False]
    assert zone.local(counts, 86_400 * 10**9, "America/New_York")[1].tolist() == [False, True, False]


@pytest.mark.parametrize("wrong", ["Mars/Olympus", "", "../etc/passwd", 3])
def test_a_zone_that_is_none_is_refused(wrong):
    with pytest.raises(SpecRefused):
        rule_spec({"mask": "generalize", "to": "month", "zone": wrong}, {})


def test_a_zone_goes_with_dates_only():
    with pytest.raises(SpecRefused, match="a zone goes with"):
        rule_spec({"mask": "generalize", "to": "round", "step": 1, "zone": "UTC"}, {})


TEXT = "%Y-%m-%dT%H:%M:%SZ"
RULE = {"column": "at", "rule": "r", "mask": "generalize", "to": "month", "zone": "Europe/Berlin", "format": TEXT}
MOMENTS = [
    dt.datetime(2026, 1, 31, 22, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 31, 23, 0, 0, tzinfo=dt.UTC),  # midnight in Berlin
    dt.datetime(2026, 3, 31, 22, 0, 0, tzinfo=dt.UTC),  # midnight in summer
]
FIRSTS = ["2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z", "2026-03-31T22:00:00Z"]


def test_one_rule_fits_csv_and_parquet_and_says_the_same(tmp_path):
    (tmp_path / "in.csv").write_text("at\n" + "".join(f"{each.strftime(TEXT)}\n" for each in MOMENTS))
    parquet.write_table(pa.table({"at": pa.array(MOMENTS, pa.timestamp("us", "UTC"))}), tmp_path / "in.parquet")
    found = {}
    for name in ("in.csv", "in.parquet"):
        with source(str(tmp_path / name)) as opened:
            run(opened, str(tmp_path / f"out-{name}"), masker.plan(opened.schema, [RULE]), None)
        with source(str(tmp_path / f"out-{name}")) as opened:
            found[name] = [row["at"] for batch in opened.batches() for row in batch.to_pylist()]
    assert found["in.csv"] == FIRSTS
    assert [each.strftime(TEXT) for each in found["in.parquet"]] == FIRSTS


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")])
def test_dates_of_no_zone_stay_as_they_stand(kind):
    table = pa.table({"at": pa.array([1_769_902_200_000_000], pa.timestamp("us")).cast(kind, safe=False)})
    made = masker.Masker(masker.plan(table.schema, [RULE]), None).table(table)
    assert str(made["at"][0].as_py())[:10] == "2026-01-01"


@pytest.mark.parametrize("text", ["2026-1-31T23:00:00Z", "2026-02-30T00:00:00Z", " 2026-01-31T23:00:00Z", "x"])
def test_text_that_is_written_otherwise_does_not_fit(text):
    table = pa.table({"at": [text]})
    with pytest.raises(masker.ValueRefused):
        masker.Masker(masker.plan(table.schema, [RULE]), None).table(table)


def test_ages_are_those_of_the_zone():
    rule = {**RULE, "to": "age", "at": "2026-02-01"}
    born = [dt.datetime(1995, 2, 1, 22, 59, tzinfo=dt.UTC), dt.datetime(1995, 2, 1, 23, 0, tzinfo=dt.UTC)]
    table = pa.table({"at": pa.array(born, pa.timestamp("us", "UTC"))})
    assert masker.Masker(masker.plan(table.schema, [rule]), None).table(table)["at"].to_pylist() == [31, 30]
    text = pa.table({"at": [each.strftime(TEXT) for each in born]})
    assert masker.Masker(masker.plan(text.schema, [rule]), None).table(text)["at"].to_pylist() == ["31", "30"]
