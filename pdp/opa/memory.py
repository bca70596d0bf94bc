"""How much memory OPA may fill before it collects garbage. It follows the size of what OPA holds.

`GOGC=800` alone lets it grow to nine times what lives: 50 MB of data settled at 3.3 GB. Go collects sooner where the
limit comes near, and goes beyond it rather than fail; so a limit that is too low costs CPU time and no decision.
"""

from pathlib import Path

BASE_BYTES = 512 << 20
"""Bytes for a policy of any size: with little data the limit changes nothing."""
TIMES = 24
"""Bytes for each byte of an unpacked bundle, which takes 7 to 8 in OPA.

With 16, 50 MB of data took 1.2 GB and 1.07 to 1.12 times the CPU time a decision; without a limit 4.6 GB and rising.
"""
_SIZE_BYTES = 4
"""The end of a gzip file: its size when unpacked, little-endian, modulo 4 GiB (RFC 1952, 2.3.1)."""


def limit(bundle: Path) -> int:
    """Bytes for an OPA that holds this bundle; those without one where it cannot be read."""
    try:
        with bundle.open("rb") as file:
            file.seek(-_SIZE_BYTES, 2)
            size = int.from_bytes(file.read(), "little")
    except OSError:
        size = 0
    return BASE_BYTES + TIMES * size
