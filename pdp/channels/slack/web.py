"""Slack's Web API, and its errors as ours."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from pdp.channels.notice import Refused
from pdp.channels.slack.blocks import Block
from pdp.errors import SetupError
from pdp.notify.api_key import api_key
from pdp.unreachable import why

HOST = "https://slack.com"
"""Where Slack is. No setting moves it; `pdp dev` and tests give another to the constructor."""
CALL_SECONDS = 10
"""Seconds that a call may take."""
AWAY = "Slack did not answer"
"""What is said where no answer came, or one that is not Slack's."""
_STATUSES = {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
"""Statuses with which Slack answers calls, also those that it refuses."""
_OF_THE_APP = {"account_inactive", "invalid_auth", "missing_scope", "not_authed", "token_expired", "token_revoked"}
"""Errors that stay until somebody mends the app or its token. Those of one channel stop no other."""
GONE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "not_found", "hash_conflict"})
"""Errors that say that a click came too late, or that a modal is closed."""
_TOO_LARGE = {"msg_blocks_too_long", "msg_too_long"}
"""Errors that a smaller message does not have."""
_WORD = re.compile(r"[a-z_]{1,64}")

for _named in ("slack_sdk.web", "slack_sdk.socket_mode", "slack_sdk.http_retry"):
    logging.getLogger(_named).setLevel(logging.WARNING)  # at DEBUG it logs what people were shown


class SlackWeb:
    """Calls Slack as the bot. The token is read for each call, so that a new one may be put there."""

    def __init__(self, bot_token: Path, host: str = HOST) -> None:
        self._bot_token, self._host = bot_token, host
        self.problem = ""
        """Why nothing is taken from us, until a call succeeds."""

    async def team(self) -> str:
        """The team whose bot we are. Raises `Refused`."""
        return str((await self._call("auth.test", {})).get("team_id", ""))

    async def post(self, channel: str, text: str, blocks: list[Block], thread: str = "") -> tuple[str, str]:
        """Send a message; the channel where it is by Slack's word, and its `ts`. Raises `Refused`."""
        given = {"channel": channel, "text": text, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
        answer = await self._call("chat.postMessage", given | ({"thread_ts": thread} if thread else {}))
        return str(answer.get("channel", "")), str(answer.get("ts", ""))

    async def edit(self, channel: str, ts: str, text: str, blocks: list[Block]) -> None:
        """Change a message. Raises `Refused`."""
        await self._call("chat.update", {"channel": channel, "ts": ts, "text": text, "blocks": blocks})

    async def whisper(self, channel: str, user: str, text: str, blocks: list[Block]) -> None:
        """Say something in a channel that one person sees. Raises `Refused`."""
        await self._call("chat.postEphemeral", {"channel": channel, "user": user, "text": text, "blocks": blocks})

    async def open(self, trigger: str, view: Block) -> None:
        """Open a modal by a click. Raises `Refused`."""
        await self._call("views.open", {"trigger_id": trigger, "view": view})

    async def replace(self, view_id: str, view: Block) -> None:
        """Put another content into an open modal. Raises `Refused`."""
        await self._call("views.update", {"view_id": view_id, "view": view})

    def client(self, token: str) -> AsyncWebClient:
        """The vendor's client with this token. It tries nothing twice: we know what may be repeated."""
        return AsyncWebClient(token, base_url=f"{self._host}/api/", timeout=CALL_SECONDS, retry_handlers=[])

    async def _call(self, method: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            token = await asyncio.to_thread(api_key, self._bot_token)
            answer = await self.client(token).api_call(method, json=dict(given))
        except SlackApiError as error:
            raise self._refused(method, error) from None
        except SetupError as error:
            self.problem = error.sentence
            raise Refused(error.sentence, dead=True) from None
        except Exception as error:  # noqa: BLE001  # its other errors are those of a call without an answer
            mend = f"{self._host}: {why(error)}; check that this machine may connect to it"
            raise Refused(AWAY, away=True, mend=mend) from None
        self.problem = ""
        return answer.data if isinstance(answer.data, dict) else {}

    def _refused(self, method: str, error: SlackApiError) -> Refused:
        """Our error. Of Slack's answer only a word of its documents is quoted."""
        if getattr(error.response, "status_code", 0) not in _STATUSES:  # of a body that cannot be read it has none
            return Refused(AWAY, away=True)
        said = error.response.get("error") if isinstance(error.response.data, dict) else ""
        word = said if isinstance(said, str) and _WORD.fullmatch(said) else "an error"
        problem = f"Slack refuses {method}: {word}"
        if word in _OF_THE_APP:
            self.problem = problem
        mend = f"{self._host}: check the app, and its token in the file that slack.bot_token names"
        dead, too_large = word in _OF_THE_APP, word in _TOO_LARGE
        return Refused(problem, retry_after=_wait(error), dead=dead, too_large=too_large, mend=mend)


def is_gone(refused: Refused) -> bool:
    """Whether a click came too late for a modal."""
    return refused.problem.rpartition(" ")[2] in GONE


def _wait(error: SlackApiError) -> float | None:
    if error.response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    asked = error.response.headers.get("Retry-After", "")
    return float(asked) if isinstance(asked, str) and asked.isdecimal() else 1.0


def handle(channel: str, ts: str) -> str:
    """What finds a message again."""
    return json.dumps({"channel": channel, "ts": ts})


def place(handle: str) -> tuple[str, str]:
    """The channel of a message, and its `ts`."""
    held = json.loads(handle)
    return str(held["channel"]), str(held["ts"])
