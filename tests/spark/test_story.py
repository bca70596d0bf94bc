"""The example `spark`: lineage in and masks out meet in one graph, on a real cluster with OpenLineage's listener."""

import hashlib
from pathlib import Path

import pyspark
import pytest

from pdp.masking.keys import demo_keys
from pdp.process.mongod import MongodProcess
from tests.examples.visit import Visit
from tests.parts import log
from tests.spark import cluster, listener

SCALA = "2.13" if pyspark.__version__.startswith("4.") else "2.12"
"""What this Spark is built with. README has the jar for Spark 4."""
PLAIN = ("example.org", "Ann", "Ben Brook", "Cleo")


@pytest.fixture
def visitor(tmp_path: Path) -> Visit:
    """A visitor of the example who has this version of Spark."""
    found = Visit("spark", tmp_path)
    found.reader.variables |= cluster.environment()
    settings = found.folder / "spark-defaults.conf"
    settings.write_text(settings.read_text().replace("_2.13-", f"_{SCALA}-"))
    for block in found.blocks:
        block.text = block.text.replace("openlineage-spark_2.13", f"openlineage-spark_{SCALA}")
    return found


@pytest.mark.timeout(1800)  # three sessions of Spark and twenty commands: two minutes where nothing else runs
async def test_the_readme_runs(visitor: Visit, state: Path, mongod: MongodProcess) -> None:
    start, fetch, *story = visitor.blocks
    async with visitor.served(start, state, mongod.uri, mask_keys=demo_keys(state / "keys" / "mask.json")) as server:
        await visitor.type(fetch)
        [jar] = visitor.folder.glob("*.jar")
        assert hashlib.sha256(jar.read_bytes()).hexdigest() == listener.CHECKSUMS[SCALA]
        for block in story:
            await visitor.type(block)
        masked = [held["details"] for _, held in await log(server, "mask")]
    [ended] = [details["mask_job"] for details in masked if "mask_job" in details]
    assert (ended["outcome"], ended["parts"], ended["rows"], ended["values"]) == ("SUCCEEDED", 2, 3, {"email": 3})
    shared = b"".join(file.read_bytes() for file in (visitor.folder / "share").rglob("*") if file.is_file())
    assert shared.count(b"masked.invalid") >= 1
    assert not [word for word in PLAIN if word.encode() in shared]
