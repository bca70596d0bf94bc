"""What `pdp dev` runs on: keys and demo people in one folder, made once and kept."""

import json
from pathlib import Path

import pytest

from pdp import keys
from pdp.caller import Role
from pdp.config import Config
from pdp.dev.identity import key_path
from pdp.dev.stack import configuration
from pdp.policy.sources import rego


def configured(state: Path, *policy: Path) -> Config:
    return configuration(state=state, listen="127.0.0.1:0", policy=policy, mongodb_uri="mongodb://127.0.0.1:1")


def written(folder: Path, data: object) -> Path:
    folder.mkdir()
    (folder / "data.json").write_text(json.dumps(data))
    return folder


def test_keys_are_made_once_for_their_owner_only_and_say_that_they_are_for_demos(tmp_path: Path) -> None:
    first = configured(tmp_path)
    paths = [first.audit_key, first.grant_key, first.seal_key, key_path(tmp_path)]
    made = [path.read_bytes() for path in paths]
    assert len(set(made)) == len(paths)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert all(json.loads(one)[keys.DEMO] for one in made)
    assert configured(tmp_path) == first
    assert [path.read_bytes() for path in paths] == made


def test_keys_of_an_older_stack_are_split(tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.grant_key.replace(tmp_path / "grant.jwk")
    config.seal_key.replace(config.grant_key)
    before = config.grant_key.read_bytes()
    again = configured(tmp_path)
    assert again.seal_key.read_bytes() == before
    assert again.grant_key.read_bytes() not in (before, (tmp_path / "grant.jwk").read_bytes())


def test_people_review_and_agents_ask_for_them(tmp_path: Path) -> None:
    users, agents = configured(tmp_path).issuers
    assert (users.kind, users.type, users.roles) == ("person", "user", ())
    assert (agents.kind, agents.type, agents.roles) == ("workload", "agent", (Role.REQUESTER,))
    assert agents.speaks_for["report-bot"].subjects == ()
    assert agents.speaks_for["report-bot"].on_behalf_of == ("user:*",)
    assert users.issuer != agents.issuer


def test_without_a_policy_it_is_the_reference_policy(tmp_path: Path) -> None:
    assert configured(tmp_path).policy == (rego(),)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("data", "is_added"),
    [
        ({"roles": {}}, True),
        ({"identities": {"agent:report-bot": {"owners": ["user:alice"]}}}, True),
        ({"identities": {"agent:dev": {"owners": ["user:bob"]}}}, False),
    ],
)
def test_policy_that_does_not_know_who_owns_the_dev_agent_is_told(
    tmp_path: Path, data: object, *, is_added: bool
) -> None:
    mine = written(tmp_path / "mine", data)
    policy = configured(tmp_path / "state", mine).policy
    assert policy[0] == mine
    assert len(policy) == 1 + is_added
    if is_added:
        owners = json.loads((policy[1] / "data.json").read_text())
        assert owners == {"identities": {"agent:dev": {"owners": ["user:dev"]}}}
