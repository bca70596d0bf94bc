"""The columns about whose masks an attack asks."""

from pathlib import Path

from pdp.environment import Environment
from pdp.policy.columns import columns
from pdp.policy.module import modules
from pdp.policy.sources import read
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
MASKS = """package policy

mask contains {"rule": "a", "reason": "a", "columns": ["ssn", "name"], "mask": "redact"}

mask contains {"rule": "b", "reason": "b", "columns": ["*"], "mask": "clear"}

mask contains {"rule": "c", "reason": "c", "columns": data.names, "mask": "clear"}

mask contains {"rule": "d", "reason": "d", "tags": ["pii"], "mask": "redact"}
"""


def test_written_and_tagged_columns_are_asked_about_and_one_that_nothing_names(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(MASKS)
    found = columns(modules(OPA, read([tmp_path])), {"column_tags": {"t": {"email": ["pii"]}, "u": "odd"}})
    assert [column["name"] for column in found] == ["email", "name", "ssn", "unknown"]
    assert [column["name"] for column in columns([], {"column_tags": []})] == ["unknown"]
