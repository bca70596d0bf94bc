"""`python -m tests.resolution`: resolves the client's install beside the newest of each framework for agents.

It needs the package index, so it is `make resolution` and no test. A framework is moved if a version that it has by
itself is another one beside the client; then the command names it and fails.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("langchain", "langgraph", "openai-agents", "crewai")
PYTHONS = ("3.11", "3.13")
"""The oldest Python that the client takes, and one that every framework has reached."""


def resolved(python: str, *requirements: str) -> dict[str, str]:
    """The newest version of each package that these requirements need together."""
    command = [Path(sys.executable).with_name("uv"), "pip", "compile", "-", "--python-version", python, "--no-header"]
    done = subprocess.run(
        [*command, "--no-annotate", "--quiet"],
        input="\n".join(requirements),
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        sys.exit(f"{' and '.join(requirements)} cannot be installed together on Python {python}:\n{done.stderr}")
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", done.stdout, re.MULTILINE))


def moved(python: str, framework: str) -> dict[str, str]:
    """What has another version beside the client."""
    alone, beside = resolved(python, framework), resolved(python, framework, str(ROOT))
    print(f"Python {python}: {framework} {alone[framework]}, {len(alone)} packages beside placet", flush=True)
    return {name: f"{version} -> {beside.get(name)}" for name, version in alone.items() if beside.get(name) != version}


if __name__ == "__main__":
    found = {
        f"{framework}, Python {python}": changes
        for python in PYTHONS
        for framework in FRAMEWORKS
        if (changes := moved(python, framework))
    }
    for place, changes in found.items():
        print(place, *(f"  {name} {change}" for name, change in changes.items()), sep="\n")
    sys.exit(bool(found))
