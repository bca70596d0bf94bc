from collections.abc import Callable
from pathlib import Path

from pdp.masking.keys import demo_keys
from pdp.process.mongod import MongodProcess
from tests.examples.visit import Visit


async def test_the_readme_runs(visit: Callable[[str], Visit], state: Path, mongod: MongodProcess) -> None:
    join = visit("join")
    start, mask, unmask = join.blocks
    async with join.served(start, state, mongod.uri, mask_keys=demo_keys(state / "keys" / "mask.json")):
        await join.type(mask)
        await join.type(unmask)
    masked = [(join.folder / f"masked-{name}.csv").read_text() for name in ("customers", "orders")]
    assert not [word for word in ("example.org", "Ann", "Archer", "1984-03") for text in masked if word in text]
