"""`python -m tests.resolution`: the client beside the newest of each framework for agents, resolved and used.

It needs the package index, so it is `make resolution` and no test of the suite. It runs inside `pdp dev -- …`.

1. A framework is moved if a version that it has by itself is another one beside the client; then the command names it
   and fails.
2. Each framework's tool decorator gets guarded functions, in an environment of its own (`tools.py`). A tool must read
   as without the guard, run what is allowed, and nothing else.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from pdp.dev import identity

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("langchain", "langgraph", "openai-agents", "crewai")
"""What has a decorator for tools, which gets guarded functions."""
BESIDE = (*FRAMEWORKS, "langchain-core", "llama-index", "google-adk", "streamlit", "tensorflow")
"""What the client has to leave as it is."""
UV = Path(sys.executable).with_name("uv")
PYTHONS = ("3.11", "3.13")
"""The oldest Python that the client takes, and one that every framework has reached."""


def resolved(python: str, *requirements: str) -> dict[str, str]:
    """The newest version of each package that these requirements need together."""
    command = [UV, "pip", "compile", "-", "--python-version", python, "--no-header"]
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


def used(framework: str) -> bool:
    """Whether the framework makes tools of guarded functions; if not, it has been said why."""
    token = identity.token(Path(os.environ["PDP_STATE"]), "report-bot")
    with tempfile.TemporaryDirectory(prefix="placet-resolution-") as folder:
        python = Path(folder, "bin", "python")
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([UV, "pip", "install", "--quiet", "--python", python, framework, ROOT], check=True)
        command = [python, Path(__file__).with_name("tools.py"), framework]
        done = subprocess.run(command, env={**os.environ, "PDP_TOKEN": token, "HOME": folder}, check=False)
    return not done.returncode


if __name__ == "__main__":
    unused = [framework for framework in FRAMEWORKS if not used(framework)]
    found = {
        f"{framework}, Python {python}": changes
        for python in PYTHONS
        for framework in BESIDE
        if (changes := moved(python, framework))
    }
    for place, changes in found.items():
        print(place, *(f"  {name} {change}" for name, change in changes.items()), sep="\n")
    sys.exit(bool(found or unused))
