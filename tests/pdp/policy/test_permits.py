"""What a caller says of its own data allows nothing, whether it says a tag or leaves one out."""

from pathlib import Path

import pytest

from tests.authored import findings

LIB = """package lib.tags

all contains tag if some tag in input.resource.properties.tags

all contains tag if some tag in data.table_tags[input.resource.id]

only contains tag if some tag in input.resource.properties.tags

is_public if "public" in only

cleared if {
	every tag in all {
		tag in data.cleared
	}
}
"""
REFUSED = {
    "an allow by a tag": ("allow", '"public" in input.resource.properties.tags'),
    "by a variable": ("allow", 'sent := input.resource.properties.tags\n\t"public" in sent'),
    "by going through": ("allow", "some tag in input.resource.properties.tags\n\ttag in data.cleared"),
    "every one of them": ("allow", "every tag in input.resource.properties.tags {\n\t\ttag in data.cleared\n\t}"),
    "an allow without a tag": ("allow", 'not "pii" in input.resource.properties.tags'),
    "a deny without a tag": ("deny", 'not "public" in input.resource.properties.tags'),
    "a negated variable": ("deny", 'sent := input.resource.properties.tags\n\tnot "public" in sent'),
    "an allow by a rule": ("allow", '"public" in tags.all'),
    "by two rules": ("allow", "tags.is_public"),
    "an allow without a tag that only callers say": ("allow", 'not "pii" in tags.only'),
    "a deny without a tag of a rule": ("deny", 'not "public" in tags.all'),
}
FINE = {
    "a deny by a tag": ("deny", '"pii" in input.resource.properties.tags'),
    "a deny by all tags": ("deny", "some tag in tags.all\n\tnot tag in data.cleared"),
    "an allow without a tag of all": ("allow", 'not "pii" in tags.all'),
    "an allow of which every tag is cleared": ("allow", "every tag in tags.all {\n\t\ttag in data.cleared\n\t}"),
    "an allow by lineage": ("allow", '"public" in input.lineage.tags'),
    "another property": ("allow", 'input.resource.properties.owner == "alice"'),
}


def found(folder: Path, kind: str, body: str) -> list[str]:
    (folder / "lib").mkdir()
    (folder / "lib" / "tags.rego").write_text(LIB)
    (folder / "data.json").write_text('{"table_tags": {"t": ["pii"]}, "cleared": ["public"]}')
    head = f'{kind} contains {{"rule": "r", "reason": "x"}} if {{'
    (folder / "rules.rego").write_text(f"package policy\n\nimport data.lib.tags\n\n{head}\n\t{body}\n}}\n")
    return [finding.rule for finding in findings(folder) if finding.rule == "caller-tags-permit"]


@pytest.mark.parametrize(("kind", "body"), REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_the_callers_word_allow_more_is_refused(kind: str, body: str, tmp_path: Path) -> None:
    assert found(tmp_path, kind, body) == ["caller-tags-permit"]


@pytest.mark.parametrize(("kind", "body"), FINE.values(), ids=FINE.keys())
def test_what_it_only_adds_to_is_fine(kind: str, body: str, tmp_path: Path) -> None:
    assert found(tmp_path, kind, body) == []
