"""What plans and streams loads no numba, and nothing of ours loads pandas: both are blocked in a process of its own."""

import subprocess
import sys

CODE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numba", "llvmlite", "pandas"}:
            raise ModuleNotFoundError(f"{name} is blocked")

sys.meta_path.insert(0, Blocked())
import pyarrow as pa
import masker
import masker.spark
import pdp.arrow.table
import pdp.arrow.tokens
import pdp.client

masks = [{"column": "a", "domain": "d"}, {"column": "b", "mask": "clear"}, {"column": "c", "domain": "f"}]
domains = {"d": {"mask": "token"}, "f": {"mask": "fpe", "alphabet": "0123456789"}}
schema = pa.schema([("a", pa.string()), ("b", pa.timestamp("us", "UTC")), ("c", pa.string())])
plan = masker.plan(schema, masks, domains, key_version=1)
again = masker.MaskPlan.from_json(plan.to_json())
masker.spark.masking(plan.to_json())
print(again.output_schema.equals(plan.output_schema, check_metadata=True))
"""


def test_planning_and_streaming_need_neither_numba_nor_pandas():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
