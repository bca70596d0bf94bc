"""A mail server with TLS as tests have it: it keeps what it took, and refuses as it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from pdp.mail_settings import MailSettings
from tests.certificates import Authority


@dataclass
class Mailbox:
    """The server's handler, and what a client must know."""

    port: int = 0
    refused: str = ""
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    trusting: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    folder: Path = Path()

    async def handle_RCPT(self, _server: Any, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        if self.refused:
            return self.refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        self.taken.append((list(envelope.rcpt_tos), message_from_bytes(content, policy=default)))  # type: ignore[arg-type]
        return "250 OK"

    def settings(self, scheme: str = "smtps", phrase: str = "") -> MailSettings:
        """What leads here."""
        file = self.folder / "mail.password"
        file.write_text(phrase)
        file.chmod(0o600)
        login = {"user": "placet", "password": file} if phrase else {}
        server = f"{scheme}://127.0.0.1:{self.port}"
        return MailSettings.model_validate({"server": server, "from": "placet@example.com", **login})


@asynccontextmanager
async def mailbox(folder: Path, *, scheme: str = "smtps", phrase: str = "") -> AsyncIterator[Mailbox]:
    """A server on a free port of this machine, with a certificate of its own authority."""
    authority = Authority(folder)
    pair, box = authority.server(), Mailbox(folder=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    box.trusting = ssl.create_default_context(cafile=str(pair.ca))

    def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"placet", phrase.encode()), handled=False)

    made = partial(
        SMTP,
        box,
        hostname="localhost",
        require_starttls=scheme != "smtps",
        tls_context=context if scheme != "smtps" else None,
        authenticator=authenticated,
        auth_required=bool(phrase) and scheme != "smtps",
        auth_require_tls=scheme != "smtps",
    )
    tls = context if scheme == "smtps" else None
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
