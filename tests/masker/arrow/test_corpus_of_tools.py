"""Generated tables as other programs write them, as many as there are rounds: read, masked with nothing, and equal.

Programs that this machine lacks write nothing; Python's and gzip's are always there.
"""

import csv
import gzip
import io
import json
import random
import shutil
import subprocess
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from masker.arrow.formats import Layout
from tests.masker.arrow.test_corpus import copied, read

ALPHABET = ["a", "Z", "0", "1", " ", ",", ";", "\t", "|", '"', "'", "\n", "ü", "é", "-", ".", "=", "\\"]
NODE = """
const fs = require('fs');
for (const [path, rows] of JSON.parse(fs.readFileSync(process.argv[1]))) {
  fs.writeFileSync(path + '.jsonl', rows.map(row => JSON.stringify(row)).join('\\n') + '\\n');
  fs.writeFileSync(path + '.json', JSON.stringify(rows, null, 1));
}
"""
GO = """
package main

import ("encoding/csv"; "encoding/json"; "os"; "sort")

func main() {
	text, _ := os.ReadFile(os.Args[1])
	var tables [][]json.RawMessage
	json.Unmarshal(text, &tables)
	for _, table := range tables {
		var path string
		var rows []map[string]string
		json.Unmarshal(table[0], &path)
		json.Unmarshal(table[1], &rows)
		file, _ := os.Create(path + ".csv")
		writer := csv.NewWriter(file)
		var names []string
		for name := range rows[0] { names = append(names, name) }
		sort.Strings(names)
		writer.Write(names)
		for _, row := range rows {
			var cells []string
			for _, name := range names { cells = append(cells, row[name]) }
			writer.Write(cells)
		}
		writer.Flush()
		file.Close()
	}
}
"""


def tables(rounds):
    """Rows of texts under two to four names, none of them empty: in a cell without marks that is null."""
    chance = random.Random(rounds)
    for _ in range(4 * rounds):
        names = chance.sample(["id", "First Name", "größe", "a.b", "post-code"], chance.randint(2, 4))
        yield [{name: text(chance) for name in names} for _ in range(chance.randint(1, 40))]


def text(chance):
    made = "".join(chance.choices(ALPHABET, k=chance.randint(1, 9)))
    return made if made.strip() else "x"


def same(path, rows, layout=Layout()):  # noqa: B008  # it is frozen
    out = path.with_name(f"out-{path.name}")
    assert copied(path, out, layout) == len(rows)
    found = read(out, Layout(delimiter=layout.delimiter))
    assert [dict(sorted(row.items())) for row in found] == [dict(sorted(row.items())) for row in rows], path.name
    if path.suffix == ".jsonl":
        assert out.read_bytes() == path.read_bytes()


def written(rows, **dialect):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, rows[0], **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def test_what_python_gzip_and_iconv_write_is_equal(tmp_path, rounds):
    chance = random.Random(rounds)
    for number, rows in enumerate(tables(rounds)):
        delimiter = chance.choice(",;\t|")
        quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
        ends = ["\n", "\r\n", *(["\r"] if quoting else [])]  # else Python does not quote a line feed before 3.13
        body = written(rows, delimiter=delimiter, quoting=quoting, lineterminator=chance.choice(ends))
        encoding = chance.choice(["", "", "utf-16", "iso-8859-1"])
        path = tmp_path / f"{number}.csv"
        path.write_bytes(body.encode())
        if encoding and shutil.which("iconv"):
            made = subprocess.run(["iconv", "-f", "utf-8", "-t", encoding, path], capture_output=True, check=True)
            path.write_bytes(made.stdout)
        elif encoding:
            path.write_bytes(body.encode(encoding))
        if chance.random() < 0.5:
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path = Path(f"{path}.gz")
        same(path, rows, Layout(delimiter, encoding))


@pytest.fixture
def given(tmp_path, rounds):
    """The tables, and a file of JSON that tells another program where to write which."""
    made = [(str(tmp_path / f"t{number}"), rows) for number, rows in enumerate(tables(rounds))]
    (tmp_path / "tables.json").write_text(json.dumps(made))
    return made, tmp_path / "tables.json"


def test_what_node_writes_is_equal(given):
    made, told = given
    if node := shutil.which("node"):
        subprocess.run([node, "-e", NODE, told], check=True)
    for path, rows in made if node else ():
        same(Path(f"{path}.jsonl"), rows)
        same(Path(f"{path}.json"), rows)


def test_what_go_writes_is_equal(given, tmp_path):
    made, told = given
    (tmp_path / "main.go").write_text(GO)
    if go := shutil.which("go"):
        subprocess.run([go, "run", tmp_path / "main.go", told], check=True)
    for path, rows in made if go else ():
        same(Path(f"{path}.csv"), rows)


def test_json_lines_of_dataframes_and_jq_are_the_same_bytes(tmp_path):
    rows = [{"a": random.Random(n).choice(ALPHABET) * 3, "n": n * 0.5, "b": None if n % 3 else [n]} for n in range(50)]
    pl.DataFrame(rows).write_ndjson(tmp_path / "polars.jsonl")
    pd.DataFrame(rows).to_json(tmp_path / "pandas.jsonl", orient="records", lines=True)
    frame = pd.DataFrame(rows)  # noqa: F841  # duckdb finds it by its name
    duckdb.sql(f"copy (select * from frame) to '{tmp_path / 'duckdb.jsonl'}' (format json)")  # noqa: S608  # our own path
    if shutil.which("jq"):
        with (tmp_path / "polars.jsonl").open("rb") as given, (tmp_path / "jq.jsonl").open("wb") as made:
            subprocess.run(["jq", "-ac", "."], stdin=given, stdout=made, check=True)
    for path in sorted(tmp_path.glob("*.jsonl")):
        assert copied(path, path.with_name(f"out-{path.name}")) == 50
        assert path.with_name(f"out-{path.name}").read_bytes() == path.read_bytes(), path.name
