"""`[lineage]` in the configuration."""

from pathlib import Path

import pytest

from pdp.errors import SetupError
from tests.pdp.test_config import GOOD, loaded

LINEAGE = """
[lineage]
[[lineage.resources]]
type = "table"
id = "{schema}.{table}"
namespace = "postgres://crm:5432"
name = "crm.{schema}.{table}"
[lineage.writers."workload:etl"]
namespaces = ["postgres://crm:*"]
trust_masking = true
"""


def test_it_is_off_without_its_part_and_may_be_empty(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).lineage is None
    settings = loaded(tmp_path, GOOD + "[lineage]\n").lineage
    assert settings
    assert settings.types == ("table", "file", "topic")


def test_exports_are_export_and_share_by_default_and_nobody_is_told(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + "[lineage]\n").lineage
    assert settings
    assert (settings.exports, settings.forward) == (("export", "share"), None)


def test_address_of_forward_has_no_slash_at_its_end_and_its_key_lies_beside_the_file(tmp_path: Path) -> None:
    part = '[lineage]\nexports = []\n[lineage.forward]\nurl = "https://lineage.example.com/base/"\napi_key = "key"\n'
    settings = loaded(tmp_path, GOOD + part).lineage
    assert settings
    assert settings.forward
    assert (settings.exports, settings.forward.url) == ((), "https://lineage.example.com/base")
    assert settings.forward.api_key == tmp_path / "key"


@pytest.mark.parametrize(
    "url", ["http://lineage.example.com", "https://a.example.com/?x=1", "https://u@a.example.com", "s3://x", ""]
)
def test_address_of_forward_that_leads_elsewhere_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SetupError, match=r"lineage\.forward\.url"):
        loaded(tmp_path, f'{GOOD}[lineage.forward]\nurl = "{url}"\n')


def test_writer_may_tag_and_nothing_more_by_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + LINEAGE).lineage
    assert settings
    etl = settings.writers["workload:etl"]
    assert (etl.may_tag, etl.trust_masking) == (True, True)
    assert (etl.may_classify, etl.facet_is_complete, etl.may_replace) == (False, False, False)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("workload:etl", "etl", "lineage.writers.etl"),
        ("trust_masking", "trust_maskings", "trust_maskings: Placet has no field of this name"),
        ('type = "table"', "", "lineage.resources.0.type: it is missing"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(SetupError, match=says.replace(".", r"\.")):
        loaded(tmp_path, GOOD + LINEAGE.replace(old, new, 1))
