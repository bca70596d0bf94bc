"""`pdp token` and `pdp whoami`: print a demo token, and the caller's own identity."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdp.cli import exit_code
from pdp.cli.session import Output, Session, client_command, json_text
from pdp.duration import duration_ms
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.say import give, tell
from pdp.visible import name, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from pdp.client import Client
    from pdp.v1.info_pb2 import GetServerInfoResponse
    from pdp.v1.person_pb2 import AccountLink, GetPreferencesResponse, Passkey

MOST_HOURS = 24
"""Hours for which a demo token may be valid: a producer of lineage keeps the one of its settings for a day."""
_SECOND_MS, _HOUR_MS = 1000, 3_600_000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(token)
    app.command()(whoami)


def token(
    as_name: Annotated[
        str,
        typer.Option("--as", metavar="NAME", help="The demo person: alice, bob, carol, dana, report-bot, dev or etl."),
    ] = "dev",
    valid: Annotated[
        str, typer.Option("--for", metavar="TIME", help='How long it is valid, at most "24h", such as "90m".')
    ] = "15m",
) -> None:
    """Print a token for a demo person of `pdp dev`."""
    from pdp.dev import identity, presence

    environment = Environment.read()
    try:
        state, _ = presence.meant(environment, environment.address if environment.names_address else "")
        tell(identity.token(state, as_name, _seconds(valid)))
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.USAGE)


def _seconds(valid: str) -> int:
    """Raises `BadParameter`."""
    milliseconds = duration_ms(valid) or 0
    if not _SECOND_MS <= milliseconds <= MOST_HOURS * _HOUR_MS:
        raise typer.BadParameter(f"is a time of at most {MOST_HOURS}h, such as 90m", param_hint="--for")
    return milliseconds // _SECOND_MS


@client_command
async def whoami(session: Session) -> None:
    """Print my identity, passkeys, accounts, and how I am told."""
    from pdp.v1.info_pb2 import GetServerInfoRequest

    async with session.client() as client:
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        passkeys, links = await _own(client)
        chosen = await _chosen(client)
    if session.output is Output.TABLE:
        lines = [_shown(info), *map(_passkey, passkeys), *map(_link, links), *map(_preferences, chosen)]
        session.print(info, lambda: "\n".join(lines))
        return
    own: dict[str, Any] = {"passkeys": [*map(_json, passkeys)], "links": [*map(_json, links)]}
    own["preferences"] = _json(chosen[0]) if chosen else None
    whole = {**_json(info), **{kind: held for kind, held in own.items() if held}}
    give(json.dumps(whole, indent=2 if session.output is Output.JSON else None))


async def _own(client: "Client") -> "tuple[Sequence[Passkey], Sequence[AccountLink]]":
    """The passkeys and chat accounts of a person. Others have none, and an older server knows of none."""
    from pdp.client.call_error import CallError
    from pdp.v1.person_pb2 import ListLinksRequest, ListPasskeysRequest

    try:
        passkeys = (await client.call(client.person.ListPasskeys, ListPasskeysRequest())).passkeys
        return passkeys, (await client.call(client.person.ListLinks, ListLinksRequest())).links
    except CallError as error:
        if error.code not in {"PERMISSION_DENIED", "UNIMPLEMENTED"}:
            raise
        return (), ()


async def _chosen(client: "Client") -> "Sequence[GetPreferencesResponse]":
    """How a person chose to be told; empty where nothing was chosen, or nothing can be."""
    from pdp.client.call_error import CallError
    from pdp.v1.person_pb2 import GetPreferencesRequest

    try:
        found = await client.call(client.person.GetPreferences, GetPreferencesRequest())
    except CallError as error:
        if error.code not in {"PERMISSION_DENIED", "UNIMPLEMENTED"}:
            raise
        return ()
    return (found,) if found.HasField("chosen_at") else ()


def _json(message: "Message") -> Any:
    return json.loads(json_text(message))


def _link(link: "AccountLink") -> str:
    return f"account {visible(link.account)}, linked {link.linked_at.ToDatetime():%Y-%m-%d %H:%M:%S UTC}"


def _preferences(chosen: "GetPreferencesResponse") -> str:
    told = [visible(one) for one in chosen.channels if one not in chosen.muted]
    muted = f", not in {', '.join(map(visible, chosen.muted))}" if chosen.muted else ""
    quiet = f"quiet hours {visible(chosen.quiet)}" if chosen.quiet else "no quiet hours"
    at = f"{chosen.chosen_at.ToDatetime():%Y-%m-%d %H:%M:%S UTC}"
    return f"told in {', '.join(told) or 'no channel'}{muted}; {quiet}; chosen {at}"


def _passkey(passkey: "Passkey") -> str:
    from pdp.assertion import encoded

    added, counts = (stamp.ToDatetime() for stamp in (passkey.added_at, passkey.counts_from))
    wait = f", counts from {counts:%Y-%m-%d %H:%M:%S UTC} on" if counts > added else ""
    return f"passkey {encoded(passkey.credential_id)}, added {added:%Y-%m-%d %H:%M:%S UTC}{wait}"


def _shown(info: "GetServerInfoResponse") -> str:
    caller = info.caller
    groups = f"; groups {', '.join(map(name, caller.groups))}" if caller.groups else ""
    missing = ", ".join(map(visible, caller.claims_elsewhere))
    elsewhere = f"\nits token only refers to {missing} (too many for it?), so none of them counts" if missing else ""
    return (
        f"{name(caller.identity)}, a {visible(caller.kind)}; roles {', '.join(map(visible, caller.roles))}{groups}\n"
        f"realm {visible(info.realm)}, policy {visible(info.policy_revision[:12])}, "
        f"Placet {visible(info.version)}, OPA {visible(info.opa_version)}{elsewhere}"
    )
