"""The Slack of `pdp dev --slack`: its people are the demo people, its tokens are for one start."""

import json
import socket
from pathlib import Path

from pdp.dev.chat import CHANNEL, GROUP, TEAM, chat
from pdp.slack_settings import SlackSettings


async def test_demo_people_have_accounts_and_tokens_are_new_at_each_start(tmp_path: Path) -> None:
    seen = set[str]()
    for _ in range(2):
        async with chat(tmp_path) as made:
            token = made.settings.bot_token
            assert token.stat().st_mode & 0o777 == 0o600
            seen.add(token.read_text())
            assert isinstance(made.settings, SlackSettings)
            assert made.settings.channels == {GROUP: CHANNEL}
            people = json.loads((made.people / "data.json").read_text())["identities"]
            assert people[f"slack:{TEAM}/UBOB"] == {"same_as": ["user:bob"]}
            assert "slack:TDEV/UREPORT-BOT" not in people
    assert len(seen) == 2


async def test_port_that_another_program_has_is_left_to_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with chat(tmp_path, port=port) as made:
            assert not made.url.endswith(f":{port}")
