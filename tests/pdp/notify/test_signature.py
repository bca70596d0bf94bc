"""Secrets and signatures of Standard Webhooks."""

import base64
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.notify import signature

# The vector that the reference libraries of Standard Webhooks test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
BODY = b'{"test": 2432232314}'


def written(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "ops.secret"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_signature_is_that_of_the_published_vector(tmp_path: Path, end: str) -> None:
    key = signature.secret(written(tmp_path, SECRET + end))
    assert signature.headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def of_bytes(count: int) -> str:
    return "whsec_" + base64.b64encode(b"k" * count).decode()


@pytest.mark.parametrize("count", [24, 32, 64])
def test_secret_is_read(tmp_path: Path, count: int) -> None:
    assert signature.secret(written(tmp_path, of_bytes(count))) == b"k" * count


@pytest.mark.parametrize(
    "text",
    [
        *("", SECRET[6:], "whsec_", "whsec_?", SECRET + " x", SECRET[:-1], "whsk_" + SECRET[6:]),
        *(of_bytes(23), of_bytes(65), b"\xff\xfe"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(SetupError, match=r"ops\.secret holds no webhook secret") as refused:
        signature.secret(written(tmp_path, text))
    assert SECRET[6:20] not in refused.value.sentence


def test_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="chmod 600"):
        signature.secret(written(tmp_path, SECRET, 0o644))


def test_secret_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="none"):
        signature.secret(tmp_path / "none")
