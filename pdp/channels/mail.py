"""E-mail as a channel: plain text with one link, over TLS. The only file that knows aiosmtplib.

An e-mail proves nothing of who reads it: the link leads to a page that needs a login.
"""

import ssl
from email.message import EmailMessage
from email.policy import SMTP as FORM
from email.utils import formatdate, make_msgid

import aiosmtplib

from pdp.channels import plain
from pdp.channels.notice import ATTEMPT_SECONDS, Message, Notice, Refused
from pdp.email_address import is_email_address
from pdp.errors import SetupError
from pdp.keys import secret
from pdp.mail_settings import MailSettings
from pdp.unreachable import why
from pdp.workflow.contacts import Contacts
from pdp.workflow.last_logins import LastLogins


class Mail:
    """A mail server. `trusting` is how its certificate is checked; None: by what this system trusts."""

    name = "mail"
    edits = False

    def __init__(self, settings: MailSettings, trusting: ssl.SSLContext | None = None) -> None:
        self._settings, self._trusting = settings, trusting
        self._password()

    async def post(self, to: str, message: Message) -> str:
        """Send it to an address. Returns its Message-ID. Raises `Refused`."""
        made = self._made(to, message)
        await self._send(made)
        return f"{made['Message-ID']} {to}"

    async def edit(self, handle: str, notice: Notice) -> None:
        """What was sent stays as it is: nobody can change an e-mail."""

    async def reply(self, handle: str, notice: Notice) -> None:
        """Send it as an answer to the first one. Raises `Refused`."""
        first, _, to = handle.partition(" ")
        made = self._made(to, notice)
        made["In-Reply-To"] = made["References"] = first
        await self._send(made)

    async def check(self) -> None:
        """Connect and log in. Raises `Refused`."""
        await self._send(None)

    def _made(self, to: str, message: Message) -> EmailMessage:
        if not is_email_address(to):
            raise Refused("what is known as the address of this person is not one")
        made = EmailMessage(FORM)
        sender = self._settings.sender
        made["From"], made["To"] = sender, to
        made["Subject"] = plain.subject(message)
        made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(plain.text(message), cte="quoted-printable")
        return made

    async def _send(self, made: EmailMessage | None) -> None:
        """Send a message, or without one only log in."""
        try:
            async with self._client() as client:
                if made is not None:
                    await client.send_message(made)
        except aiosmtplib.SMTPAuthenticationError:
            mend = self._at("check mail.user, and the file that mail.password names")
            raise Refused("the mail server does not take our user and password", dead=True, mend=mend) from None
        except aiosmtplib.SMTPRecipientsRefused:
            raise Refused("the mail server does not take this address") from None
        except aiosmtplib.SMTPResponseException as error:
            mend = self._at("ask who runs it what this answer means")
            raise Refused(f"the mail server answered {error.code}", mend=mend) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._unreachable(error) from None
        except SetupError as error:
            raise Refused("the mail server's password cannot be read", dead=True, mend=error.sentence) from None

    def _unreachable(self, error: Exception) -> Refused:
        if _is_untrusted(error):
            mend = self._at("have this machine trust who signed its certificate, or name the host that it is for")
            return Refused("the mail server's TLS certificate is not trusted", dead=True, mend=mend)
        mend = self._at(f"{why(error)}; check the address, and that this machine may connect to it")
        return Refused("the mail server cannot be reached over TLS", away=True, mend=mend)

    def _at(self, mend: str) -> str:
        return f"{self._settings.server} (mail.server): {mend}"

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=self._password() or None,
            use_tls=settings.is_tls_from_the_start,
            start_tls=not settings.is_tls_from_the_start,
            tls_context=self._trusting,
            timeout=ATTEMPT_SECONDS,
        )

    def _password(self) -> str:
        """The password, read again for each message. Raises `SetupError`."""
        file = self._settings.password
        if file is None:
            return ""
        content = secret(file)
        try:
            return content.decode().strip()
        except ValueError:
            raise SetupError(f"{file} holds no password that can be read") from None


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate is the cause."""
    if error is None or isinstance(error, ssl.SSLError):
        return error is not None
    return _is_untrusted(error.__cause__ or error.__context__)


class MailAddresses:
    """The address of a person: that of the policy's data, else that of the last login, if the issuer verified it."""

    def __init__(self, contacts: Contacts, logins: LastLogins) -> None:
        self._contacts, self._logins = contacts, logins

    async def of(self, identity: str) -> str:
        """The address; empty where none is known."""
        if named := (await self._contacts.of(identity)).email:
            return named if is_email_address(named) else ""
        login = await self._logins.of(identity)
        return login.email if login and is_email_address(login.email) else ""
