"""People who cannot be right are refused, and what may be wrong is warned of, with numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.bundle import built
from pdp.policy.check import checked
from pdp.policy.sources import read
from pdp.process.mongod import MongodProcess
from pdp.process.toolcache import opa
from tests.cli.terminal import invoked
from tests.parts import placet

OPA = opa(Environment.read().tool_cache)
RULE = 'package policy\n\nallow contains {"rule": "all", "reason": "all"}\n'
TYPES = frozenset({"user", "agent", "slack"})


def written(folder: Path, identities: dict[str, Any], groups: dict[str, Any] | None = None) -> Path:
    folder = folder / "rules"
    folder.mkdir()
    (folder / "p.rego").write_text(RULE)
    (folder / "data.json").write_text(json.dumps({"identities": identities, "groups": groups or {}}))
    return folder


def same(*names: str) -> dict[str, list[str]]:
    return {"same_as": list(names)}


TWO_PERSONS = {
    "named by two": {"user:alice": same("slack:1"), "user:bob": same("slack:1")},
    "named by one, naming another": {"user:alice": same("slack:1"), "slack:1": same("user:bob")},
    "named by two of its own type": {"user:alice": same("user:x"), "user:bob": same("user:x")},
    "far away": {
        "user:alice": same("slack:1"),
        "slack:1": same("github:1"),
        "user:bob": same("slack:2"),
        "slack:2": same("github:1"),
    },
    "of other types that have users": {
        "slack:1": same("mail:1"),
        "github:1": same("mail:1"),
        "user:alice": same("slack:1"),
        "user:bob": same("github:1"),
    },
}
ONE_PERSON = {
    "two accounts of one entry": {"user:alice": same("github:1", "github:2")},
    "a chain of one type": {"user:alice": same("user:a2"), "user:a2": same("user:a3")},
    "two that name each other": {"user:alice": same("user:a2", "slack:1"), "user:a2": same("slack:1")},
    "entries of different types": {"user:alice": same("slack:1"), "mail:alice": same("slack:1")},
    "everybody names everybody": {
        "user:alice": same("slack:1", "mail:1"),
        "slack:1": same("user:alice", "mail:1"),
        "mail:1": same("user:alice", "slack:1"),
    },
    "an account named by an account": {"user:alice": same("github:1"), "github:1": same("github:2")},
}


@pytest.mark.parametrize("identities", TWO_PERSONS.values(), ids=TWO_PERSONS.keys())
def test_identity_in_two_persons_is_refused(identities: dict[str, Any], tmp_path: Path) -> None:
    folder = written(tmp_path, identities)
    (finding,) = checked(OPA, [folder], {})[0]
    assert (finding.rule, finding.file) == ("unfit-people", f"{folder}/data.json")
    assert "stands in two persons and makes one reviewer of `" in finding.sentence
    with pytest.raises(SetupError, match="stands in two persons"):
        built(OPA, read([folder]), tmp_path / "b.tar.gz", tmp_path, {})


@pytest.mark.parametrize("identities", ONE_PERSON.values(), ids=ONE_PERSON.keys())
def test_person_of_several_identities_is_fine(identities: dict[str, Any], tmp_path: Path) -> None:
    assert checked(OPA, [written(tmp_path, identities)], {})[0] == []


OWNED = {"agent:etl": {"owners": ["usr:alice", "user:bob"]}, "agent:b": {"owners": ["usr:alice"]}}


def test_owner_and_member_of_an_unknown_type_are_refused_where_types_are_known(tmp_path: Path) -> None:
    folder = written(tmp_path, OWNED, {"stewards": ["user:bob", "users:carol"]})
    assert checked(OPA, [folder], {})[0] == []
    findings = checked(OPA, [folder], {}, TYPES)[0]
    assert {(finding.rule, finding.file) for finding in findings} == {("unfit-people", f"{folder}/data.json")}
    members, owners = (finding.sentence for finding in findings)
    assert "has the type `users` of 1 members of `groups`, such as `users:carol`; is it `user`?" in members
    assert "has the type `usr` of 2 owners in `identities`, such as `usr:alice`; is it `user`?" in owners
    with pytest.raises(SetupError, match="has the type `usr`"):
        built(OPA, read([folder]), tmp_path / "b.tar.gz", tmp_path, {}, TYPES)


def test_linked_identity_of_an_unknown_type_is_warned_of(tmp_path: Path) -> None:
    folder = written(tmp_path, {"user:bob": same("teams:1"), "robot:1": {"owners": ["user:bob"]}})
    findings, warnings = checked(OPA, [folder], {}, TYPES)
    assert findings == []
    assert ["`teams` of 1 identities" in warnings[0], "`robot` of 1 identities" in warnings[1]] == [True, True]


def test_where_any_subject_may_be_named_unknown_types_are_warned_of(tmp_path: Path) -> None:
    findings, warnings = checked(OPA, [written(tmp_path, OWNED)], {}, {*TYPES, "*"})
    assert findings == []
    assert "has the type `usr` of 2 owners" in warnings[0]


def test_slip_in_a_type_is_warned_of_without_a_configuration(tmp_path: Path) -> None:
    people = [f"user:{number}" for number in range(50)]
    warnings = checked(OPA, [written(tmp_path, OWNED, {"all": people, "some": ["slack:1"]})], {})[1]
    assert warnings == ["2 identities are of type `usr` and 51 of type `user`; is one meant?"]


async def test_server_refuses_what_its_issuers_do_not_vouch_for(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    folder = written(tmp_path, OWNED)
    async with placet(state, mongod.uri, policy=[folder]) as server:  # `dev` may name anybody
        assert any("warning: " in said and "has the type `usr`" in said for said in server.said)
        known = server_issuers(state)
    with pytest.raises(SetupError, match="has the type `usr` of 2 owners"):
        async with placet(state, mongod.uri, policy=[folder], issuers=known):
            pass


def server_issuers(state: Path) -> Any:
    """The issuers of `pdp dev`, of which no caller may name subjects of every type."""
    from pdp.dev.stack import configuration  # noqa: PLC0415
    from pdp.identity_source import SpeaksFor  # noqa: PLC0415

    issuers = configuration(state=state, listen="", policy=(), mongodb_uri="mongodb://127.0.0.1:1").issuers
    speaks = {"dev": SpeaksFor(subjects=("agent:*",), on_behalf_of=("user:*",))}
    return tuple(issuer.model_copy(update={"speaks_for": speaks}) for issuer in issuers)


def test_check_takes_the_types_of_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, OWNED)
    config = tmp_path / "placet.toml"
    config.write_text(
        'realm = "x"\nlisten = "127.0.0.1:0"\nmongodb_uri = "mongodb://127.0.0.1"\ndatabase = "x"\npolicy = ["rules"]\n'
        'audit_key = "a"\ngrant_key = "g"\n[[issuers]]\nissuer = "https://i.example"\naudience = "p"\ntype = "user"\n'
        'kind = "person"\n[issuers.speaks_for.gateway]\nsubjects = ["agent:*"]\n'
    )
    assert invoked("policy", "check", folder) == 0
    assert invoked("policy", "check", folder, "--config", config) == 3
    assert invoked("policy", "build", folder, "--config", config, "--to", tmp_path / "b.tar.gz") == 3
    assert "has the type `usr` of 2 owners" in capsys.readouterr().out
