"""Policies of a test: written into a folder, checked, and mended as the check says."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pdp.environment import Environment
from pdp.policy.check import checked
from pdp.policy.finding import Finding
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
_PASTED = re.compile(r"write (schema/\S+\.json): (\{.*?\})(?=; write |$)")
"""What a finding says to write into which file."""


def written(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write `files`, Rego as text and data and schemas as values, and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def findings(folder: Path) -> list[Finding]:
    """What the check refuses, but for formatting."""
    return [finding for finding in checked(OPA, [folder], {})[0] if finding.rule != "unformatted"]


def paste(folder: Path, found: list[Finding]) -> list[str]:
    """Write each schema that the findings print where they say, and return the files."""
    files = dict(pair for finding in found for pair in _PASTED.findall(finding.sentence))
    written(folder, files)
    return sorted(files)
