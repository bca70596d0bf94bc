"""Data as a command line names it."""

import pytest
import typer

from pdp.cli.dataset import data, dataset, written


@pytest.mark.parametrize(
    ("text", "namespace", "named"),
    [
        ("postgres://crm:5432/crm.public.customers", "", ("postgres://crm:5432", "crm.public.customers")),
        ("s3://bucket/a/b", "", ("s3://bucket", "a/b")),
        ("s3://bucket//a", "", ("s3://bucket", "/a")),
        ("project.set.table", "bigquery", ("bigquery", "project.set.table")),
        ("table:x", "file", ("file", "table:x")),
    ],
)
def test_dataset_has_two_names(text: str, namespace: str, named: tuple[str, str]) -> None:
    found = data(text, namespace).dataset
    assert (found.namespace, found.name) == named
    assert dataset(text, namespace) == found
    assert namespace or data(written(found)).dataset == found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("public.customers", ("table", "public.customers")),
        ("file:a/b.csv", ("file", "a/b.csv")),
        ("a/b", ("table", "a/b")),
        ("file:/data/x", ("file", "/data/x")),
        ("duckdb:/data/shop.duckdb/t", ("table", "duckdb:/data/shop.duckdb/t")),
    ],
)
def test_resource_has_a_type_or_is_a_table(text: str, named: tuple[str, str]) -> None:
    found = data(text).resource
    assert (found.type, found.id) == named
    with pytest.raises(typer.BadParameter, match="NAMESPACE/NAME"):
        dataset(text)


@pytest.mark.parametrize("text", ["", "postgres://crm:5432", "s3://bucket/"])
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="NAMESPACE/NAME"):
        data(text)
