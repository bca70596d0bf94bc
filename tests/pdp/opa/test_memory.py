"""How much memory OPA may fill: it follows what it holds."""

import gzip
from pathlib import Path

from pdp.opa.memory import BASE_BYTES, TIMES, limit


def test_limit_follows_the_unpacked_size(tmp_path: Path) -> None:
    (tmp_path / "bundle.tar.gz").write_bytes(gzip.compress(bytes(5_000_000)))
    assert limit(tmp_path / "bundle.tar.gz") == BASE_BYTES + TIMES * 5_000_000


def test_without_a_bundle_the_limit_is_the_base(tmp_path: Path) -> None:
    (tmp_path / "short.tar.gz").write_bytes(b"x")
    assert limit(tmp_path / "none.tar.gz") == limit(tmp_path / "short.tar.gz") == BASE_BYTES
