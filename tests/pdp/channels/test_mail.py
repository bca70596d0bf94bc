"""E-mail, by a real mail server with TLS."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pdp.channels.mail import Mail, MailAddresses
from pdp.channels.notice import Aim, Ending, Note, Notice, Part, Refused, Reviewed, said
from pdp.errors import SetupError
from pdp.last_login import LastLogin
from pdp.workflow.contacts import Contact
from tests.mailbox import Mailbox, mailbox

HOSTILE = "*CFO*\r\nBcc: eve@example.com\r\n<a href='https://x'>a</a> \u202e<!channel>"
PAGE = "https://placet.example.com/inbox/approvals/apr_1"


def notice(aim: Aim = Aim.ASK, name: str = "export") -> Notice:
    return Notice(
        aim=aim,
        approval_id="apr_1",
        version=2,
        state="DENIED" if aim is Aim.END else "PENDING",
        action=said(name),
        resource_type=said(name),
        caller=said(name),
        progress=(Part(said(name), 1, 2),),
        reviews=(Reviewed("user:bob", "APPROVE", "web"),),
        ends_at=None if aim is Aim.END else datetime(2026, 1, 1, tzinfo=UTC),
        page=PAGE,
        ended_by="user:carol" if aim is Aim.END else "",
        ending=Ending(said(name), None, datetime(2026, 1, 1, 0, 10, tzinfo=UTC), "Ask again.")
        if aim is Aim.END
        else None,
    )


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_notice_arrives_over_tls_as_plain_text_with_one_link(tmp_path: Path, scheme: str) -> None:
    async with mailbox(tmp_path, scheme=scheme, phrase="s3cret") as box:
        mail = Mail(box.settings(scheme, "s3cret"), box.trusting)
        handle = await mail.post("bob@example.com", notice())
        await mail.reply(handle, notice(Aim.REMIND))
        await mail.check()
    (to, first), (_, again) = box.taken
    assert to == ["bob@example.com"]
    assert (first["From"], first["To"], first["Subject"]) == (
        "placet@example.com",
        "bob@example.com",
        "Your review is asked for",
    )
    assert first.get_content_type() == "text/plain"
    text = first.get_content()
    assert text.count("://") == 1
    assert text.rstrip().endswith(PAGE)
    assert "export: 1 of 2" in text
    assert (again["In-Reply-To"], again["References"]) == (first["Message-ID"], first["Message-ID"])


async def test_hostile_names_stay_words_of_the_text(tmp_path: Path) -> None:
    async with mailbox(tmp_path) as box:
        mail = Mail(box.settings(), box.trusting)
        for aim in (Aim.ASK, Aim.END):
            await mail.post("bob@example.com", notice(aim, HOSTILE))
    for to, message in box.taken:
        assert to == ["bob@example.com"]
        assert not {"bcc", "cc", "reply-to"} & {name.lower() for name in message}
        assert len(message.keys()) == len(set(message.keys())) == 9
        assert "CFO" not in str(message["Subject"])
        text = message.get_content()
        assert "\\u{d}\\u{a}Bcc: eve@example.com" in text
        assert "\u202e" not in text
        assert text.count("://") == 1, "a name is not a link"
        assert not any(line.startswith("Bcc") for line in text.splitlines())


async def test_ending_says_by_whom_why_and_how_to_go_on(tmp_path: Path) -> None:
    async with mailbox(tmp_path) as box:
        await Mail(box.settings(), box.trusting).post("alice@example.com", notice(Aim.END, "too much"))
    [(_, message)] = box.taken
    text = message.get_content()
    assert message["Subject"] == "A request of yours: DENIED"
    for part in ("DENIED by user:carol", "> too much", "stays denied until 2026-01-01 00:10 UTC", "Ask again."):
        assert part in text


@pytest.mark.parametrize("to", ["bob@example.com\r\nBcc: eve@example.com", "bob@example.com, eve@example.com", ""])
async def test_address_that_is_more_than_one_is_not_written_to(tmp_path: Path, to: str) -> None:
    async with mailbox(tmp_path) as box:
        with pytest.raises(Refused, match="is not one"):
            await Mail(box.settings(), box.trusting).post(to, Note("hello"))
    assert not box.raw


async def test_wrong_password_and_untrusted_certificate_are_dead_and_say_so(tmp_path: Path) -> None:
    async with mailbox(tmp_path, phrase="s3cret") as box:
        with pytest.raises(Refused, match="user and password") as login:
            await Mail(box.settings(phrase="wrong"), box.trusting).check()
        with pytest.raises(Refused, match="not trusted") as stranger:
            await Mail(box.settings(phrase="s3cret")).check()
    assert login.value.dead
    assert stranger.value.dead
    with pytest.raises(Refused, match="cannot be reached") as away:
        await Mail(box.settings(phrase="s3cret"), box.trusting).check()
    assert not away.value.dead


async def test_server_without_starttls_gets_no_mail_and_no_password(tmp_path: Path) -> None:
    async with mailbox(tmp_path, phrase="s3cret") as plain:
        with pytest.raises(Refused):
            await Mail(plain.settings("smtp+starttls", "s3cret"), plain.trusting).post("bob@example.com", Note("hello"))
    assert not plain.raw


@pytest.mark.parametrize("answer", ["550 no such user", "452 later"])
async def test_refused_address_says_nothing_of_the_answer(tmp_path: Path, answer: str) -> None:
    async with mailbox(tmp_path) as box:
        box.refused = answer
        with pytest.raises(Refused, match="does not take this address") as refused:
            await Mail(box.settings(), box.trusting).post("bob@example.com", Note("hello"))
    assert not refused.value.dead


def test_password_that_others_can_read_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Mailbox(port=1, folder=tmp_path).settings(phrase="s3cret")
    (tmp_path / "mail.password").chmod(0o644)
    with pytest.raises(SetupError):
        Mail(settings)


class Data:
    def __init__(self, email: str) -> None:
        self.email = email

    async def of(self, _: str) -> Contact:
        return Contact(self.email)


class Logins:
    def __init__(self, email: str) -> None:
        self.email = email

    async def of(self, identity: str) -> LastLogin | None:
        return LastLogin(identity=identity, issuer="i", roles=(), email=self.email, at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("data", "login", "found"),
    [
        ("bob@data.example", "bob@login.example", "bob@data.example"),
        ("", "bob@login.example", "bob@login.example"),
        ("no address", "bob@login.example", ""),
        ("", "", ""),
    ],
)
async def test_address_is_that_of_the_data_or_of_the_last_login(data: str, login: str, found: str) -> None:
    assert await MailAddresses(Data(data), Logins(login)).of("user:bob") == found  # type: ignore[arg-type]
