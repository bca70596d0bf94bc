"""What `pdp policy check` says of domains and masks."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.policy.check import checked, domains, findings_in
from pdp.policy.live import WatchedPolicy
from pdp.policy.sources import read
from pdp.process import toolcache
from tests.parts import TOOL_CACHE

TAGS = {"crm.customers": {"email": ["pii"]}}
DOMAINS: dict[str, Any] = {
    "customer": {"mask": "token", "values": "open"},
    "visit": {"mask": "date_shift", "days": 30, "values": "open"},
}


def policy(folder: Path, entry: str, declared: Any = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "data.json").write_text(
        json.dumps({"domains": DOMAINS if declared is None else declared, "column_tags": TAGS})
    )
    (folder / "p.rego").write_text(f'package policy\n\nmask contains {{"rule": "r", "reason": "r", {entry}}}\n')
    return folder


def found(folder: Path, **options: Any) -> list[str]:
    return [finding.rule for finding in findings_in(toolcache.opa(TOOL_CACHE), [folder], **options)]


@pytest.mark.parametrize(
    "entry",
    [
        '"columns": ["id"], "domain": "customer"',
        '"tags": ["pii"], "mask": "partial", "keep_first": 1',
        '"columns": ["at"], "domain": "visit", "entity": "id", "format": "%Y%m%d"',
        '"columns": ["*"], "mask": "clear"',
        '"columns": ["First Name", "post-code", "a.b", "größe", " a ", "tags[]", "[\\"a.b\\"]"], "mask": "redact"',
    ],
)
def test_good_masks_are_fine(tmp_path: Path, entry: str) -> None:
    assert found(policy(tmp_path / "p", entry)) == []


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ('"columns": ["id"], "domain": "custmer"', "undeclared-domain"),
        ('"columns": ["id"], "domain": "customer", "mask": "token"', "two-masks"),
        ('"columns": ["id"], "domain": "customer", "kind": "cus"', "repeats-domain"),
        ('"columns": ["id"], "domain": "customer", "mode": "x"', "repeats-domain"),
        ('"colums": ["id"], "domain": "customer"', "missing-key"),
        ('"columns": ["id"]', "missing-key"),
        ('"columns": [], "mask": "redact"', "wrong-type"),
        ('"columns": ["a"], "mask": "redact", "rank": "high"', "wrong-type"),
        ('"columns": ["a"], "mask": "redact", "rank": true', "wrong-type"),
        ('"columns": "id", "mask": "redact"', "wrong-type"),
        ('"columns": ["id"], "tags": ["pii"], "mask": "redact"', "missing-key"),
        ('"columns": ["id"], "mask": "token"', "bad-mask"),
        ('"columns": ["id"], "mask": "partial", "keep_frst": 1', "bad-mask"),
        ('"columns": ["at"], "domain": "visit"', "bad-mask"),
        ('"tags": ["pii", "pi"], "mask": "redact"', "matches-nothing"),
        ('"columns": ["*", "id"], "mask": "clear"', "matches-nothing"),
        ('"columns": ["$.id"], "mask": "redact"', "matches-nothing"),
        ('"columns": ["tags[0]"], "mask": "redact"', "matches-nothing"),
        ('"columns": ["a..b"], "mask": "redact"', "matches-nothing"),
        ('"columns": ["[\'a b\']"], "mask": "redact"', "matches-nothing"),
    ],
)
def test_bad_masks_are_found(tmp_path: Path, entry: str, rule: str) -> None:
    assert found(policy(tmp_path / "p", entry)) == [rule]


@pytest.mark.parametrize(
    "declared",
    [
        {"customer": "token"},
        {"customer": {"mask": ["token", "fpe"]}},
        {"customer": {"mask": "sha256"}},
        {"customer": {"mask": "fpe"}},
        {"customer": {"mask": "token", "kind": "Not One", "values": "open"}},
        {"customer": {"mask": "token", "values": "free"}},
        {"customer": {"mask": "token", "values": 0}},
        {"customer": {"mask": "token", "values": 1e7}},
        {"customer": {"mask": "token", "values": True}},
        {"customer": {"mask": "token", "values": "open", "guessable": ""}},
    ],
)
def test_bad_domains_are_found(tmp_path: Path, declared: Any) -> None:
    assert "bad-domain" in found(policy(tmp_path / "p", '"columns": ["id"], "mask": "clear"', declared))


@pytest.mark.parametrize(
    ("domain", "rules", "warned"),
    [
        ({"mask": "token"}, ["domain-values"], ""),
        ({"mask": "pseudonym"}, ["domain-values"], ""),
        ({"mask": "email"}, ["domain-values"], ""),
        ({"mask": "date_shift", "days": 3}, ["domain-values"], ""),
        ({"mask": "token", "values": 10**7}, [], "10,000,000 values"),
        ({"mask": "token", "values": 10**9 - 1}, [], "999,999,999 values"),
        ({"mask": "token", "values": 10**9}, [], ""),
        ({"mask": "token", "values": "open"}, [], ""),
        ({"mask": "token", "values": 10**7, "guessable": "only etl masks"}, [], ""),
        ({"mask": "fpe", "alphabet": "0123456789"}, [], "1,000,000 values"),
        ({"mask": "fpe", "alphabet": "0123456789", "on_short": "token"}, [], "10 values"),
        ({"mask": "fpe", "alphabet": "0123456789", "values": 10**16}, [], ""),
        ({"mask": "fpe", "alphabet": "0123456789", "guessable": "demo data"}, [], ""),
    ],
    ids=str,
)
def test_domain_says_how_many_values_it_may_have(
    tmp_path: Path, domain: dict[str, Any], rules: list[str], warned: str
) -> None:
    folder = policy(tmp_path / "p", '"columns": ["id"], "mask": "clear"', {"of.ids": domain})
    findings, warnings = checked(toolcache.opa(TOOL_CACHE), [folder], {})
    assert [finding.rule for finding in findings] == rules
    assert all('"values": "open"' in str(finding) for finding in findings)  # ready to paste
    about = [each for each in warnings if "guessable-domain" in each]
    assert [warned in each and '"guessable": "' in each for each in about] == ([True] if warned else [])


def test_what_is_told_of_values_may_change(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    in_force = domains(toolcache.opa(TOOL_CACHE), read([policy(tmp_path / "old", entry)]))
    for fixed in ({"pad_to": 16}, {"kind": "cus"}):
        other = {**DOMAINS, "customer": {**DOMAINS["customer"], **fixed}}
        assert found(policy(tmp_path / "new", entry, other), in_force=in_force) == ["changed-domain"]
    told = {**DOMAINS, "customer": {"mask": "token", "values": 10**7, "guessable": "why"}}
    assert found(policy(tmp_path / "new", entry, told), in_force=in_force) == []


def test_domain_in_force_is_not_changed_only_added_to(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    in_force = domains(toolcache.opa(TOOL_CACHE), read([policy(tmp_path / "old", entry)]))
    changed = policy(tmp_path / "new", entry, {"customer": {"mask": "token", "canonical": ["lower"], "values": "open"}})
    assert found(changed, in_force=in_force) == ["changed-domain"]
    added = policy(tmp_path / "new", entry, {**DOMAINS, "more": {"mask": "pseudonym", "values": 1000000000}})
    assert found(added, in_force=in_force) == []


async def unused() -> dict[str, Any]:
    return {}


async def test_edit_that_changes_a_domain_is_not_loaded(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    folder = policy(tmp_path / "p", entry)
    (tmp_path / "out").mkdir()
    watched = WatchedPolicy(toolcache.opa(TOOL_CACHE), [folder], tmp_path / "out" / "bundle.tar.gz", print, unused)
    await watched.build()
    policy(folder, entry, {"customer": {"mask": "token", "kind": "cus", "values": "open"}})
    with pytest.raises(SetupError, match="changed-domain"):
        await watched.build()
    policy(folder, entry, DOMAINS)
    await watched.build()


async def test_domain_that_was_away_for_an_edit_does_not_come_back_changed(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    folder = policy(tmp_path / "p", entry, {**DOMAINS, "more": {"mask": "pseudonym", "values": 1000000000}})
    (tmp_path / "out").mkdir()
    watched = WatchedPolicy(toolcache.opa(TOOL_CACHE), [folder], tmp_path / "out" / "bundle.tar.gz", print, unused)
    await watched.build()
    policy(folder, entry)
    await watched.build()
    policy(folder, entry, {**DOMAINS, "more": {"mask": "token", "values": 1000000000}})
    with pytest.raises(SetupError, match="changed-domain"):
        await watched.build()
