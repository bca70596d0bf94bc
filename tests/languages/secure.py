"""A server with TLS, for a client's tests: `python -m tests.languages.secure COMMAND ...` runs the command beside it.

The command's environment has what it needs. `PDP_TLS_ADDRESS` takes tokens, such as `PDP_TLS_TOKEN`, which is alice's.
`PDP_TLS_CLIENT_ADDRESS` demands a client certificate. `PDP_TLS_FOLDER` has the files: `authority.pem` signed the
server, `client.crt` and `client.key`, which are of `bot:report-bot`; `other.pem` signed `other-client.crt`.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pdp.config import Config, Tls
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.identity_source import Certificates
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.server.running import running
from tests.certificates import Authority
from tests.parts import TOOL_CACHE

BOTS = Certificates(spiffe="spiffe://example.org/agents/", type="bot", kind="workload")


async def ran(command: Sequence[str], folder: Path) -> int:
    """The exit status of the command."""
    said: list[str] = []
    state = folder / "state"
    async with MongodProcess(toolcache.mongod(), folder / "mongodb", say=said.append) as mongod:
        config = _secured(configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri), folder)
        async with running(config, TOOL_CACHE, said.append) as server:
            variables = {
                "PDP_TLS_ADDRESS": server.address,
                "PDP_TLS_CLIENT_ADDRESS": config.tls.client_listen if config.tls else "",
                "PDP_TLS_FOLDER": str(folder),
                "PDP_TLS_TOKEN": identity.token(state, "alice"),
            }
            process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables})
            return await process.wait()


def _secured(config: Config, folder: Path) -> Config:
    authority, other = Authority(folder), Authority(folder, "other")
    for name, pair in {"client": authority.agent(), "other-client": other.agent()}.items():
        pair.certificate.rename(folder / f"{name}.crt")
        pair.key.rename(folder / f"{name}.key")
    own = authority.server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    tls = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca, client_listen=address)
    return config.model_copy(update={"tls": tls, "certificates": (BOTS,), "mask_keys": None})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="placet-languages-") as made:
        sys.exit(asyncio.run(ran(sys.argv[1:], Path(made))))
