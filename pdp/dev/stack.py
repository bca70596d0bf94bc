"""The stack of `pdp dev`: a MongoDB of its own and a server that uses it, with keys and demo people, in one folder."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import orjson

from pdp import keys
from pdp.caller import Role
from pdp.config import Config, Http
from pdp.dev import identity, presence
from pdp.dev.chat import Chat, chat
from pdp.dev.idp import Idp
from pdp.dev.losses import Losses
from pdp.identity_source import Issuer, SpeaksFor
from pdp.lineage_settings import LineageSettings, LineageWriter
from pdp.masking.keys import DEMO_REALM, demo_keys
from pdp.operations_settings import Operations
from pdp.policy.sources import read, rego
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.server.outside import Outside
from pdp.server.running import Running, Say, running

REALM = DEMO_REALM
MASK_VALUES_AN_HOUR = 1_000_000_000
"""More than a deployment should let a caller mask: people who try Placet mask large files and benches larger ones."""

LINEAGE = LineageSettings(
    writers={"agent:etl": LineageWriter(namespaces=("*",), may_classify=True, trust_masking=True, may_replace=True)}
)
"""`etl` is believed all that a writer can be believed, so that people who try Placet see what follows."""


@asynccontextmanager
async def stack(
    *,
    state: Path,
    listen: str,
    policy: Sequence[Path],
    tool_cache: Path,
    say: Say,
    http: str = "127.0.0.1:0",
    operations: str = "127.0.0.1:0",
    slack_port: int | None = None,
) -> AsyncIterator[Running]:
    """Run OPA, MongoDB and the server until the block ends. Without `policy` they use the reference policy.

    With `slack_port` a double of Slack runs beside them, on that port if it is free.

    Raises `SetupError` if a part is missing, or if another stack runs on this folder.
    """
    with presence.claimed(state) as claim:
        read(policy)  # a folder without a policy is refused before MongoDB starts
        async with MongodProcess(toolcache.mongod(), state / "mongodb", say=say) as mongod:
            config = configuration(state=state, listen=listen, policy=policy, mongodb_uri=mongod.uri)
            shown = Operations(listen=operations, drain_seconds=0)
            config = config.model_copy(update={"http": Http(listen=http, passkey_wait="0"), "operations": shown})
            async with AsyncExitStack() as around:
                outside = Outside(demo=Idp(state))
                if slack_port is not None:
                    beside = await around.enter_async_context(chat(state, port=slack_port))
                    config, outside = _with_slack(config, beside), replace(outside, slack_host=beside.url)
                    say(f"slack  {beside.url}  (be each of the demo people)")
                    if beside.is_elsewhere:
                        say(f"       another program listens on port {slack_port}, so Slack has another one this time")
                server = await around.enter_async_context(
                    running(config, tool_cache, say, Losses(say), elsewhere=True, outside=outside)
                )
                claim.serves(server.address)
                yield server


def _with_slack(config: Config, beside: Chat) -> Config:
    """The configuration with a double of Slack. Its people review there without a login before."""
    issuers = tuple(
        one.model_copy(update={"roles": (Role.REVIEWER,)}) if one.kind == "person" else one for one in config.issuers
    )
    policy = (*config.policy, beside.people)
    return config.model_copy(update={"slack": beside.settings, "policy": policy, "issuers": issuers})


def configuration(*, state: Path, listen: str, policy: Sequence[Path], mongodb_uri: str) -> Config:
    """The configuration of a dev stack. It makes the keys and the owner of the `dev` agent if they are missing."""
    state.mkdir(parents=True, exist_ok=True)
    folder = state / "keys"
    if (folder / "grant.jwk").exists() and not (folder / "seal.jwk").exists():
        keys.split(folder)  # of an older version
    for name in ("issuer", "audit", "grant", "seal"):
        if not (folder / f"{name}.jwk").exists():
            keys.generate(folder / f"{name}.jwk", demo=True)
    return Config(
        listen=listen,
        realm=REALM,
        mongodb_uri=mongodb_uri,
        policy=_with_owner(policy, state) if policy else (rego(),),
        issuers=_issuers(identity.key_path(state)),
        audit_key=folder / "audit.jwk",
        grant_key=folder / "grant.jwk",
        seal_key=folder / "seal.jwk",
        mask_keys=demo_keys(folder / "mask.json"),
        mask_values_an_hour=MASK_VALUES_AN_HOUR,
        lineage=LINEAGE,
    )


def _issuers(jwks: Path) -> tuple[Issuer, ...]:
    users = Issuer(
        issuer=identity.USERS,
        audience=identity.AUDIENCE,
        type="user",
        kind="person",
        jwks=jwks,
        roles_claim="roles",
        groups_claim="groups",
    )
    agents = Issuer(
        issuer=identity.AGENTS,
        audience=identity.AUDIENCE,
        type="agent",
        kind="workload",
        jwks=jwks,
        roles=(Role.REQUESTER,),
        roles_claim="roles",
        may_search=True,
        speaks_for={
            "report-bot": SpeaksFor(on_behalf_of=("user:*",)),
            "dev": SpeaksFor(subjects=("*",), on_behalf_of=("*",)),
        },
    )
    return users, agents


def _with_owner(policy: Sequence[Path], state: Path) -> tuple[Path, ...]:
    """The folders and, if they do not name the `dev` agent, data that says who owns it."""
    if any(source.is_data and b'"agent:dev"' in source.content for source in read(policy)):
        return tuple(policy)
    folder = state / "data"
    folder.mkdir(exist_ok=True)
    (folder / "data.json").write_bytes(orjson.dumps({"identities": {"agent:dev": {"owners": ["user:dev"]}}}))
    return (*policy, folder)
