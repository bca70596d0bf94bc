"""Runs the command line tools of a stock OPA. Only this file runs them."""

import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from pdp.environment import Environment
from pdp.errors import SetupError

TIMEOUT_SECONDS = 120
"""Seconds that one OPA command may take. It bounds the wait for a policy that OPA cannot finish."""

_LESS_COLLECTING = {"GOGC": "800", "GOMEMLIMIT": "1GiB"}
"""Go's settings for a run that soon ends: a third less CPU time, and more memory only where a policy is small."""

FORBIDDEN = {
    "crypto.x509.parse_and_verify_certificates",
    "crypto.x509.parse_and_verify_certificates_with_options",
    "http.send",
    "io.jwt.decode_verify",
    "json.match_schema",  # a `$ref` to a URL is fetched, which is `http.send` by another name
    "json.verify_schema",
    "net.lookup_ip_addr",
    "opa.runtime",
    "rand.intn",
    "time.now_ns",
    "uuid.rfc4122",
}
"""Builtins that use the network, the clock or chance. With them a recorded decision could not be computed again."""


def run(opa: Path, *arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `opa ARGUMENTS` in `folder`, in UTC, with any exit code. Raises `SetupError` if OPA cannot run at all."""
    command = [str(opa), *map(str, arguments)]
    variables = {**Environment.inherited(), "TZ": "UTC", **_LESS_COLLECTING}
    try:
        return subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, check=False, timeout=TIMEOUT_SECONDS, env=variables
        )
    except OSError as error:
        raise SetupError(f"{opa} does not run ({error.strerror}); install OPA 1.4 or later") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"`opa {arguments[0]}` took more than {TIMEOUT_SECONDS} s; make the policy smaller") from error


def output(opa: Path, *arguments: str | Path, folder: Path | None = None) -> bytes:
    """What `opa ARGUMENTS` writes. Raises `SetupError` with OPA's own words if it fails."""
    done = run(opa, *arguments, folder=folder)
    if done.returncode:
        raise SetupError(
            f"`opa {arguments[0]}` failed: {(done.stderr or done.stdout).decode(errors='replace').strip()}"
        )
    return done.stdout


@lru_cache
def _capabilities(opa: Path) -> bytes:
    return output(opa, "capabilities", "--current")


def capabilities(opa: Path) -> Mapping[str, Any]:
    """The capabilities of this OPA that policies may use: all but `forbidden`, and no network for schema references."""
    everything: dict[str, Any] = orjson.loads(_capabilities(opa))
    off = forbidden(opa)
    builtins = [builtin for builtin in everything["builtins"] if builtin["name"] not in off]
    return {**everything, "builtins": builtins, "allow_net": []}


@lru_cache
def forbidden(opa: Path) -> frozenset[str]:
    """`FORBIDDEN`, and all that this OPA says gives another answer each time, such as a signature."""
    builtins = orjson.loads(_capabilities(opa))["builtins"]
    return frozenset({*FORBIDDEN, *(each["name"] for each in builtins if each.get("nondeterministic"))})
