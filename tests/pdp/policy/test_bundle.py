import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.bundle import build
from pdp.policy.finding import PolicyRefused
from pdp.policy.sources import core, read, rego
from pdp.policy.stock import FORBIDDEN, capabilities
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
ALLOW = 'package policy\n\nallow contains {"rule": "all", "reason": "all"}\n'


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "allow.rego").write_text(ALLOW)
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "bundle").mkdir()
    return tmp_path / "bundle" / "bundle.tar.gz"


def evaluated(bundle: Path, query: str) -> object:
    done = subprocess.run([OPA, "eval", "--bundle", bundle, query], check=True, capture_output=True)
    return json.loads(done.stdout)["result"][0]["expressions"][0]["value"]


def test_bundle_answers_with_its_revision(policy: Path, bundle: Path) -> None:
    revision = build(OPA, read([policy]), bundle)
    assert len(revision) == 64
    assert evaluated(bundle, "data.pdp.revisions") == [revision]
    assert evaluated(bundle, "data.policy.allow") == [{"rule": "all", "reason": "all"}]


def test_data_lies_where_its_folder_says(policy: Path, bundle: Path) -> None:
    (policy / "data.json").write_text('{"roles": {"reader": ["read"]}, "unread": ["roles", "limits"]}')
    (policy / "limits").mkdir()
    (policy / "limits" / "data.yaml").write_text("rows: 10\n")
    (policy / "schema" / "resource").mkdir(parents=True)
    (policy / "schema" / "resource" / "table.json").write_text('{"type": "object", "properties": {}}')
    build(OPA, read([policy]), bundle)
    with tarfile.open(bundle) as archive:
        content = archive.extractfile("/data.json")
        assert content is not None
        assert json.load(content) == {
            "roles": {"reader": ["read"]},
            "limits": {"rows": 10},
            "unread": ["roles", "limits"],
        }


def test_another_folder_adds_data(policy: Path, bundle: Path, tmp_path: Path) -> None:
    more = tmp_path / "more" / "policy"
    more.mkdir(parents=True)
    (more / "data.json").write_text('{"roles": {"reader": ["read"]}, "unread": ["roles"]}')
    build(OPA, read([policy, more]), bundle)
    assert evaluated(bundle, "data.roles") == {"reader": ["read"]}


def test_revision_is_of_the_files_not_of_the_place(policy: Path, bundle: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "policy"
    shutil.copytree(policy, moved)
    revision = build(OPA, read([policy]), bundle)
    assert build(OPA, read([moved]), bundle) == revision
    (moved / "allow.rego").write_text(ALLOW + "\n# changed\n")
    assert build(OPA, read([moved]), bundle) != revision


def test_tests_are_left_out(policy: Path, bundle: Path) -> None:
    revision = build(OPA, read([policy]), bundle)
    (policy / "allow_test.rego").write_text("package policy_test\n\nthis is no Rego\n")
    assert build(OPA, read([policy]), bundle) == revision


def test_broken_policy_leaves_the_last_good_bundle(policy: Path, bundle: Path) -> None:
    revision = build(OPA, read([policy]), bundle)
    (policy / "deny.rego").write_text("package policy\n\ndeny if true\n")
    with pytest.raises(PolicyRefused, match=r"deny\.rego:3") as refused:
        build(OPA, read([policy]), bundle)
    assert [finding.rule for finding in refused.value.findings] == ["not-a-set"]
    assert evaluated(bundle, "data.pdp.revisions") == [revision]
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]


def test_folder_that_holds_the_core_is_built_once(bundle: Path) -> None:
    build(OPA, read([rego()]), bundle)
    with tarfile.open(bundle) as archive:
        decisions = [name for name in archive.getnames() if name.endswith("/decision.rego")]
    assert decisions == ["/pdp/decision.rego"]


def test_folder_that_is_none_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is not a folder"):
        build(OPA, read([tmp_path / "absent"]), bundle)


def test_capabilities_lack_the_network_the_clock_and_chance() -> None:
    allowed = capabilities(OPA)
    names = {builtin["name"] for builtin in allowed["builtins"]}
    assert not names & {*FORBIDDEN, "io.jwt.encode_sign", "io.jwt.encode_sign_raw"}
    assert {"sprintf", "graph.reachable", "time.parse_rfc3339_ns"} <= names
    assert allowed["allow_net"] == []


def test_core_is_shipped() -> None:
    assert {path.name for path in core().glob("*.rego")} >= {
        "decision.rego",
        "people.rego",
        "review.rego",
        "sets.rego",
    }
