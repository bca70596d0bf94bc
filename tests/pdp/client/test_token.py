"""Where a token comes from: it is read for each call."""

import pickle
from pathlib import Path

import pytest

from pdp.client import CallError, Client
from pdp.dev import identity
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.parts import Placet
from tests.tokens import counting

SECONDS = 20


async def test_a_function_is_asked_for_each_call(server: Placet) -> None:
    source, seen = counting(lambda: identity.token(server.state, "bob" if len(seen) < 1 else "carol"))
    async with Client(server.address, source) as pdp:
        for name in ("bob", "carol"):
            info = await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())
            assert info.caller.identity == f"user:{name}"


async def test_a_file_is_read_for_each_call(server: Placet, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{identity.token(server.state, 'bob')}\n")
    async with Client(server.address, token_file=file) as pdp:
        assert (await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())).caller.identity == "user:bob"
        file.write_text(identity.token(server.state, "carol"))
        assert (await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())).caller.identity == "user:carol"
        file.unlink()
        with pytest.raises(CallError, match="cannot be read: No such file") as gone:
            await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())
        assert (gone.value.code, gone.value.reason) == ("UNAUTHENTICATED", "TOKEN_UNAVAILABLE")
        assert not (await pdp.authorize("a:b", "c", "d:e")).allowed


async def test_the_file_of_the_environment_counts_where_there_is_no_token(
    server: Placet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(identity.token(server.state, "bob"))
    monkeypatch.setenv("PDP_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.delenv("PDP_TOKEN", raising=False)
    async with Client(server.address) as pdp:
        assert (await pdp.call(pdp.info.GetServerInfo, GetServerInfoRequest())).caller.identity == "user:bob"


async def test_without_a_token_the_error_says_where_one_comes_from(
    server: Placet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PDP_TOKEN", "PDP_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    async with Client(server.address) as pdp:
        decision = await pdp.authorize("a:b", "c", "d:e")
        assert decision.error is not None
        assert "no token was sent; set PDP_TOKEN or PDP_TOKEN_FILE" in str(decision.error)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "holds no token"), (b" \n", "holds no token"), (b"x" * 70_000, "holds no token"), (None, "cannot be read")],
)
def test_a_file_that_holds_no_token_is_said_at_once(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        Client("127.0.0.1:1", token_file=tmp_path / "token")


def test_one_source_is_given() -> None:
    with pytest.raises(ValueError, match="give token or token_file, not both"):
        Client("127.0.0.1:1", "t", token_file=Path("f"))


def test_an_error_is_one_line_and_survives_a_pool_of_processes() -> None:
    error = CallError("UNAVAILABLE", "GONE", "first\nsecond\t third", [("a", "b")], {"k": "v"})
    assert str(error) == "first second third"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # ours
    assert (again.code, again.reason, str(again), again.violations, again.metadata) == (
        "UNAVAILABLE", "GONE", "first second third", (("a", "b"),), {"k": "v"}
    )  # fmt: skip
