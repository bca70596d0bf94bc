import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names, above, folded

NAMES = Names()
SET = Names(
    {"abfss": "abfs", "wasbs": "wasb", "wasb": "abfs", "x": "y", "y": "x"},
    ["postgresql://Exact"],
    [r"\d{4}-\d{2}-\d{2}", r"part-.*"],
)
CRM = "postgres://crm:5432"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("postgres://crm:5432", CRM),
        ("postgresql://crm:5432", CRM),
        ("postgresql://crm", CRM),
        ("POSTGRES://CRM/", CRM),
        ("postgres://etl:secret@crm:5432", CRM),
        ("postgres://etl:se@cret@crm", CRM),
        ("jdbc:postgresql://crm:5432?user=etl&password=secret", CRM),
        ("jdbc:sqlserver://db;encrypt=true", "sqlserver://db:1433"),
        ("jdbc:oracle:thin:etl/secret@//db:1521/x", "oracle://db:1521/x"),
        ("mysql://db", "mysql://db:3306"),
        ("mysql://[::1]", "mysql://[::1]:3306"),
        ("mysql://a:1,b:2", "mysql://a:1,b:2"),
        ("hive://metastore", "hive://metastore:9083"),
        ("kafka://k1:9092,k2:9092", "kafka://k1:9092,k2:9092"),
        ("s3a://bucket", "s3://bucket"),
        ("s3n://Bucket/", "s3://bucket"),
        ("s3://bucket//warehouse/", "s3://bucket/warehouse"),
        ("gs://bucket", "gs://bucket"),
        ("file", "file"),
        ("file:", "file"),
        ("file:" + 3 * "/", "file"),
        ("file:/data//warehouse", "file:/data/warehouse"),
        ("file:" + 3 * "/" + "data/warehouse", "file:/data/warehouse"),
        ("food_delivery", "food_delivery"),
        ("bigquery", "bigquery"),
        ("snowflake://Org-Acc", "snowflake://org-acc"),
        ("arn:aws:glue:eu-west-1:1234", "arn:aws:glue:eu-west-1:1234"),
    ],
)
def test_namespace_has_one_form(given: str, wanted: str) -> None:
    assert NAMES.namespace(given) == wanted


@pytest.mark.parametrize(
    ("namespace", "name", "wanted"),
    [
        (CRM, "crm.Public.CUSTOMERS", "crm.public.customers"),
        (CRM, "straße", "strasse"),
        (CRM, "e\u0301tat", "\u00e9tat"),
        ("hive://m:9083", "db.t/year=2026", "db.t"),
        ("hive://m:9083", "db.t/year=2026/month=01", "db.t"),
        ("hive://m:9083", "a=b", "a=b"),
        ("s3://b", "//lake//t/", "lake/t"),
        ("s3://b", "lake/t/Year=2026/part-0.parquet", "lake/t"),
        ("s3://b", "/lake/t/2026-01-01", "lake/t/2026-01-01"),
        ("s3://b", "year=2026/x", "/"),
        ("s3://b", "/", "/"),
        ("s3://b/warehouse", "db.t", "db.t"),
        ("file", "/data//x/", "/data/x"),
        ("file", "data/x", "/data/x"),
        ("file", "/data/x/k=v", "/data/x"),
        ("file:/data/iceberg", "default.t", "default.t"),
        ("hdfs://nn:8020", "/data/t/dt=1/hour=2", "/data/t"),
        ("kafka://k:9092", "orders.v1", "orders.v1"),
        ("odd", "/x/", "/x"),
        ("odd", "x", "x"),
    ],
)
def test_name_has_one_form(namespace: str, name: str, wanted: str) -> None:
    assert NAMES.dataset(namespace, name) == Dataset(namespace, wanted)


def test_settings_add_schemes_exact_namespaces_and_partitions() -> None:
    assert SET.namespace("abfss://c@account/") == SET.namespace("wasbs://account") == "abfs://account"
    assert SET.namespace("x://a") == "x://a"
    assert SET.dataset("s3a://b", "lake/T/2026-01-01/x") == Dataset("s3://b", "lake/t")
    assert SET.dataset("s3a://b", "lake/T/part-00001") == Dataset("s3://b", "lake/t")
    exact = SET.dataset("postgres://EXACT", "crm.public.Customers")
    assert exact == Dataset("postgres://exact:5432", "crm.public.Customers")
    assert SET.column(exact, "Email") == "Email"
    assert SET.column(Dataset(CRM, "t"), "Email") == "email"


def test_folders_above_a_dataset_are_those_of_its_path() -> None:
    assert list(above(Dataset("s3://b", "lake/crm/t"))) == [
        Dataset("s3://b", "lake/crm"),
        Dataset("s3://b", "lake"),
        Dataset("s3://b", "/"),
    ]
    assert list(above(Dataset("file", "/data/x"))) == [Dataset("file", "/data"), Dataset("file", "/")]
    assert list(above(Dataset("file:/data/w", "default.t"))) == [
        Dataset("file:/data/w", "/"),
        Dataset("file", "/data/w"),
        Dataset("file", "/data"),
        Dataset("file", "/"),
    ]
    assert list(above(Dataset("s3://b/w", "db.t")))[1:] == [Dataset("s3://b", "w"), Dataset("s3://b", "/")]
    assert not list(above(Dataset("s3://b", "/")))
    assert not list(above(Dataset("hive://m:9083", "db/t")))
    assert not list(above(Dataset(CRM, "a/b")))


@pytest.mark.parametrize(
    ("glob", "namespace", "may"),
    [
        ("postgres://crm:*", CRM, True),
        ("postgresql://CRM:*", CRM, True),
        ("postgresql://crm", CRM, True),
        ("postgres://crm", "postgres://crm:6000", False),
        ("s3a://lake-*", "s3://lake-eu", True),
        ("s3://lake-?", "s3://lake-eu", False),
        ("s3://l?ke", "s3://l", False),
        ("*", CRM, True),
        ("postgres://*", "s3://lake", False),
        ("", CRM, False),
    ],
)
def test_writer_may_write_where_a_glob_fits(glob: str, namespace: str, may: bool) -> None:  # noqa: FBT001
    assert NAMES.may_write([glob], Dataset(namespace, "t")) is may
    assert not NAMES.may_write([], Dataset(namespace, "t"))


texts = st.text(max_size=12) | st.text("aBé/:@?;=.-{}ßİ_1", max_size=20)
namespaces = texts | st.tuples(st.sampled_from(["s3a", "jdbc:postgresql", "file", "wasbs", "x"]), texts).map("://".join)


@settings(deadline=None)
@given(namespaces, texts, st.sampled_from([NAMES, SET]))
def test_folding_twice_changes_nothing(namespace: str, name: str, names: Names) -> None:
    once = names.dataset(namespace, name)
    assert names.dataset(*once) == once
    assert names.column(once, name) == names.column(once, names.column(once, name))


@settings(deadline=None)
@given(texts, texts)
def test_case_and_unicode_form_do_not_tell_names_apart(namespace: str, name: str) -> None:
    assert NAMES.dataset(namespace.swapcase(), name) == NAMES.dataset(namespace, name) or not name.isascii()
    assert folded(name.lower()) == folded(folded(name.lower()))


@settings(deadline=None)
@given(namespaces, texts)
def test_folder_lies_above_and_never_below(namespace: str, name: str) -> None:
    dataset = NAMES.dataset(namespace, name)
    folders = list(above(dataset))
    assert len({*folders, dataset}) == len(folders) + 1
    assert all(NAMES.dataset(*folder) == folder for folder in folders)
