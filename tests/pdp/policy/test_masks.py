"""What `pdp policy check` says of domains and masks."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.policy.check import domains, findings_in
from pdp.policy.live import WatchedPolicy
from pdp.policy.sources import read
from pdp.process import toolcache
from tests.parts import TOOL_CACHE

TAGS = {"crm.customers": {"email": ["pii"]}}
DOMAINS: dict[str, Any] = {"customer": {"mask": "token"}, "visit": {"mask": "date_shift", "days": 30}}


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
        {"customer": {"mask": "token", "kind": "Not One"}},
    ],
)
def test_bad_domains_are_found(tmp_path: Path, declared: Any) -> None:
    assert "bad-domain" in found(policy(tmp_path / "p", '"columns": ["id"], "mask": "clear"', declared))


def test_domain_in_force_is_not_changed_only_added_to(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    in_force = domains(toolcache.opa(TOOL_CACHE), read([policy(tmp_path / "old", entry)]))
    changed = policy(tmp_path / "new", entry, {"customer": {"mask": "token", "canonical": ["lower"]}})
    assert found(changed, in_force=in_force) == ["changed-domain"]
    added = policy(tmp_path / "new", entry, {**DOMAINS, "more": {"mask": "pseudonym"}})
    assert found(added, in_force=in_force) == []


async def unused() -> dict[str, Any]:
    return {}


async def test_edit_that_changes_a_domain_is_not_loaded(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    folder = policy(tmp_path / "p", entry)
    (tmp_path / "out").mkdir()
    watched = WatchedPolicy(toolcache.opa(TOOL_CACHE), [folder], tmp_path / "out" / "bundle.tar.gz", print, unused)
    await watched.build()
    policy(folder, entry, {"customer": {"mask": "token", "kind": "cus"}})
    with pytest.raises(SetupError, match="changed-domain"):
        await watched.build()
    policy(folder, entry, DOMAINS)
    await watched.build()


async def test_domain_that_was_away_for_an_edit_does_not_come_back_changed(tmp_path: Path) -> None:
    entry = '"columns": ["id"], "domain": "customer"'
    folder = policy(tmp_path / "p", entry, {**DOMAINS, "more": {"mask": "pseudonym"}})
    (tmp_path / "out").mkdir()
    watched = WatchedPolicy(toolcache.opa(TOOL_CACHE), [folder], tmp_path / "out" / "bundle.tar.gz", print, unused)
    await watched.build()
    policy(folder, entry)
    await watched.build()
    policy(folder, entry, {**DOMAINS, "more": {"mask": "token"}})
    with pytest.raises(SetupError, match="changed-domain"):
        await watched.build()
