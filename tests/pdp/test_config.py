from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdp.caller import Role
from pdp.config import load
from pdp.environment import DEFAULT_ADDRESS, Environment
from pdp.errors import SetupError

GOOD = """
realm = "prod"
mongodb_uri = "mongodb://db:27017/?replicaSet=rs0"
policy = ["policy", "/etc/placet/policy"]
audit_key = "audit.jwk"
grant_key = "keys/grant.jwk"

[[issuers]]
issuer = "https://login.example.com/"
audience = "placet"
type = "user"
kind = "person"
jwks = "users.json"
roles = ["requester"]
groups_claim = "groups"

[[issuers]]
issuer = "https://workloads.example.com"
audience = "placet"
type = "agent"
kind = "workload"
jwks = "agents.json"

[issuers.speaks_for.gateway]
on_behalf_of = ["user:*"]
"""


def loaded(folder: Path, text: str) -> Any:
    (folder / "placet.toml").write_text(text)
    return load(folder / "placet.toml")


def test_file_is_read_and_its_paths_are_beside_it(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD)
    assert config.policy == (tmp_path / "policy", Path("/etc/placet/policy"))
    assert config.audit_key == tmp_path / "audit.jwk"
    assert [issuer.jwks for issuer in config.issuers] == [tmp_path / "users.json", tmp_path / "agents.json"]
    assert config.person_types == {"user"}
    assert config.issuers[0].roles == (Role.REQUESTER,)
    assert config.issuers[1].speaks_for["gateway"].on_behalf_of == ("user:*",)
    assert (config.listen, config.database) == (DEFAULT_ADDRESS, "placet")


def test_groups_are_open_where_tokens_of_people_may_name_them(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD)
    for kind, claim, is_open in (("person", "groups", True), ("person", "", False), ("workload", "groups", False)):
        issuer = config.issuers[0].model_copy(update={"kind": kind, "groups_claim": claim})
        assert config.model_copy(update={"issuers": (issuer,)}).groups_open is is_open


def without(line: str) -> Callable[[str], str]:
    return lambda text: "\n".join(kept for kept in text.splitlines() if not kept.startswith(line))


def instead(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("realm"), "realm: it is missing"),
        (without("mongodb_uri"), "mongodb_uri"),
        (instead("realm", 'mongodb_uri_file = "mongodb.uri"\nrealm'), "give either mongodb_uri or mongodb_uri_file"),
        (without("audit_key"), "audit_key"),
        (without("policy"), "give either policy"),
        (instead("realm", 'opa_url = "http://127.0.0.1:8181"\nrealm'), "give either policy"),
        (instead('"prod"', '"Prod"'), "realm"),
        (instead('"prod"', '"pr od"'), "realm"),
        (instead('"prod"', '"prod\\n"'), "realm"),
        (instead('"prod"', '""'), "realm"),
        (instead('"prod"', f'"{"x" * 65}"'), "realm"),
        (instead("realm", "relam"), "relam: Placet has no field of this name"),
        (instead("groups_claim", "group_claim"), "issuers.0.group_claim"),
        (instead('"workload"', '"robot"'), "issuers.1.kind"),
        (instead('"agent"', '"user"'), "two issuers share"),
        (instead("https://workloads.example.com", "https://login.example.com/"), "two issuers share"),
        (instead('"agent"', '"a:b"'), "issuers.1.type"),
        (instead('["requester"]', '["root"]'), "issuers.0.roles.0"),
        (instead("on_behalf_of", "for"), "issuers.1.speaks_for.gateway.for"),
        (lambda text: text.split("[[issuers]]")[0], "issuers"),
        (lambda text: text + "=", "cannot read"),
        (lambda _: "", "realm"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: Callable[[str], str], says: str) -> None:
    with pytest.raises(SetupError) as refused:
        loaded(tmp_path, change(GOOD))
    assert says in refused.value.sentence
    assert "placet.toml" in refused.value.sentence


URI_FILE = instead('mongodb_uri = "mongodb://db:27017/?replicaSet=rs0"', 'mongodb_uri_file = "mongodb.uri"')(GOOD)
URI = "mongodb://placet:secret@db:27017/?replicaSet=rs0"


def test_uri_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "mongodb.uri").write_text(f"{URI}\n")
    (tmp_path / "mongodb.uri").chmod(0o400)
    assert loaded(tmp_path, URI_FILE).mongodb_uri == URI
    config = load(tmp_path / "placet.toml", {"mongodb_uri": "mongodb://other"})
    assert (config.mongodb_uri, config.mongodb_uri_file) == ("mongodb://other", None)


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (URI, 0o604, "mongodb.uri can be read by others; run: chmod 600"),
        (" \n", 0o600, "holds no URI"),
        (None, 0o600, "cannot be read: No such file"),
    ],
)
def test_file_of_the_uri_is_a_secret_and_no_error_has_what_is_in_it(
    tmp_path: Path, text: str | None, mode: int, says: str
) -> None:
    if text is not None:
        (tmp_path / "mongodb.uri").write_text(text)
        (tmp_path / "mongodb.uri").chmod(mode)
    with pytest.raises(SetupError, match="mongodb_uri_file: ") as refused:
        loaded(tmp_path, URI_FILE)
    assert says in refused.value.sentence
    assert "secret" not in refused.value.sentence


SECURE = GOOD.replace(
    "[[issuers]]",
    """[tls]
certificate = "server.pem"
key = "/etc/placet/server.key"
client_ca = "clients.pem"

[[certificates]]
spiffe = "spiffe://example.org/agents/"
type = "bot"
kind = "workload"
groups = ["robots"]

[[certificates]]
subjects = { "CN=etl,O=Example" = "etl" }
type = "job"
kind = "workload"

[[issuers]]""",
    1,
)


def test_tls_and_certificates_are_read(tmp_path: Path) -> None:
    config = loaded(tmp_path, SECURE)
    assert config.tls.certificate == tmp_path / "server.pem"
    assert config.tls.key == Path("/etc/placet/server.key")
    assert config.tls.client_ca == tmp_path / "clients.pem"
    assert [entry.type for entry in config.entries] == ["user", "agent", "bot", "job"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"spiffe://example.org/agents/"', '"spiffe://example.org/agents"', "with a slash at its end"),
        ('"spiffe://example.org/agents/"', '"spiffe://Example.org/agents/"', "write spiffe://"),
        ('"spiffe://example.org/agents/"', '""', "give either spiffe or subjects"),
        ('type = "job"', 'type = "job"\nspiffe = "spiffe://example.org/"', "give either spiffe or subjects"),
        ('subjects = { "CN=etl,O=Example" = "etl" }', 'spiffe = "spiffe://example.org/"', "overlap"),
        ('type = "job"', 'type = "bot"', "share a type"),
        ('type = "job"', 'type = "user"', "share a type"),
        ('type = "job"', 'type = "job"\nroles = ["reviewer"]', "only a person reviews"),
        ('client_ca = "clients.pem"', "", "give tls.client_ca too"),
        ('client_ca = "clients.pem"', 'client_listen = "127.0.0.1:1"', "give client_ca too"),
        ('jwks = "agents.json"', 'algorithms = ["HS256"]', "issuers.1.algorithms.0"),
        ('jwks = "agents.json"', 'algorithms = ["none"]', "issuers.1.algorithms.0"),
        ('jwks = "agents.json"', "algorithms = []", "issuers.1.algorithms"),
        ('jwks = "agents.json"', 'jwks = "http://example.com/jwks"', "https only"),
        ('jwks = "agents.json"', 'jwks = "ftp://example.com/jwks"', "https only"),
        ('jwks = "agents.json"', 'actors = ["https://nobody.example"]', "actors of agent names an issuer that is not"),
        ('issuer = "https://workloads.example.com"', 'issuer = "http://workloads.example.com"', ""),
    ],
)
def test_what_is_wrong_with_identities_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SECURE
    changed = SECURE.replace(old, new, 1)
    if not says:  # its keys are a file
        assert loaded(tmp_path, changed).issuers[1].jwks == tmp_path / "agents.json"
        return
    with pytest.raises(SetupError) as refused:
        loaded(tmp_path, changed)
    assert says in refused.value.sentence


def test_without_jwks_the_issuer_must_be_reached_by_https(tmp_path: Path) -> None:
    changed = GOOD.replace('jwks = "agents.json"', "")
    assert loaded(tmp_path, changed).issuers[1].jwks is None
    with pytest.raises(SetupError, match="issuer: keys are fetched by https only"):
        loaded(tmp_path, changed.replace("https://workloads", "http://workloads"))


def test_bulk_callers_are_named_by_identity(tmp_path: Path) -> None:
    text = GOOD + '[masking.bulk]\n"agent:etl" = 200_000_000\n'
    assert loaded(tmp_path, text).masking.bulk == {"agent:etl": 200_000_000}
    assert (loaded(tmp_path, GOOD).mask_values_an_hour, loaded(tmp_path, GOOD).masking.bulk) == (10**6, {})
    for wrong in ("etl = 1", '"agent:etl" = -1', '"Agent:etl" = 1'):
        with pytest.raises(SetupError, match=r"masking\.bulk"):
            loaded(tmp_path, GOOD + f"[masking.bulk]\n{wrong}\n")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


def test_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = loaded(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        config.realm = "other"


def test_environment_has_defaults_for_everything() -> None:
    empty = Environment.read({})
    assert (empty.address, empty.token, empty.config) == (DEFAULT_ADDRESS, "", None)
    assert empty.state == Path(".placet")
    assert empty.tool_cache == Path.home() / ".cache" / "placet"
    assert Environment.read({"PDP_ADDRESS": "", "PDP_STATE": "", "PDP_CONFIG": ""}) == empty


def test_environment_is_taken() -> None:
    read = Environment.read(
        {"PDP_ADDRESS": "h:1", "PDP_TOKEN": "t", "PDP_STATE": "s", "PDP_CONFIG": "c", "PDP_TOOL_CACHE": "k"}
    )
    assert (read.address, read.token, read.state, read.config) == ("h:1", "t", Path("s"), Path("c"))
    assert read.tool_cache == Path("k")
    assert Environment.read({"XDG_CACHE_HOME": "x"}).tool_cache == Path("x/placet")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ('public_url = "ftp://a"', "public_url"),
        ('public_url = "https://a/"', "public_url"),
        ('public_url = "https://a?b"', "public_url"),
        ('passkey_wait = "soon"', "passkey_wait"),
        ('passkey_wait = "1d"', "passkey_wait"),
        ("passkey_wait = 0", "passkey_wait"),
        ('client_listen = "0.0.0.0:1"', "client_ca"),
        ('tls = { certificate = "a", key = "b", client_ca = "c" }', "client_ca"),
        ('tls = { certificate = "a", key = "b", client_ca = "c", client_listen = "d:1" }', "http.client_listen"),
        ('host = "x"', "host"),
    ],
)
def test_http_says_what_is_wrong_with_it(tmp_path: Path, part: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        loaded(tmp_path, GOOD.replace("[[issuers]]", f"[http]\n{part}\n\n[[issuers]]", 1))


def test_http_is_off_unless_it_is_there_and_has_the_tls_of_grpc(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).http is None
    config = loaded(
        tmp_path, SECURE.replace("[[issuers]]", '[http]\npublic_url = "https://a.example:1/b"\n\n[[issuers]]', 1)
    )
    assert config.http.listen == "127.0.0.1:4780"
    assert config.http_tls == config.tls
