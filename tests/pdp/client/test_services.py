"""A client has a stub of every service of the contract."""

import re
from pathlib import Path

from pdp.client import Client
from pdp.client.services import Services


async def test_each_service_has_a_stub() -> None:
    wanted = {
        name
        for file in Path("proto/pdp/v1").glob("*.proto")
        for name in re.findall(r"^service (\w+)", file.read_text(), re.MULTILINE)
    }
    names = [name for name, member in vars(Services).items() if isinstance(member, property) and name != "channel"]
    async with Client("127.0.0.1:1", "t") as client:
        assert {type(getattr(client, name)).__name__.removesuffix("Stub") for name in names} == wanted
