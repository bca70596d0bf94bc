"""`make languages`: programs in other languages ask a running server, with nothing but proto/ and their own tools.

Not part of `make test`: it needs Go or Node, and their registries. Run inside `pdp dev -- …`, which names the server.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROTO = ROOT / "proto"
PROTOC = ROOT / ".venv-gen/bin/python-grpc-tools-protoc"
PLUGINS = (
    "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0",
)
GRPC = "google.golang.org/grpc@v1.84.0"
NODE = ("@grpc/grpc-js@1.14.0", "@grpc/proto-loader@0.8.0")
WANTED = ["read EFFECT_ALLOW", "fly EFFECT_DENY"]


def go(folder: Path) -> str:
    """What the Go program says, its stubs made by protoc."""
    variables = {**os.environ, "GOBIN": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}
    for plugin in PLUGINS:
        run("go", "install", plugin, folder=folder, variables=variables)
    files = [str(file.relative_to(PROTO)) for file in sorted(PROTO.rglob("*.proto"))]
    package = [f"M{file}=placet/client/pdpv1" for file in files]
    for kind in ("go", "go-grpc"):
        options = [f"--{kind}_opt={option}" for option in ("module=placet/client", *package)]
        run(PROTOC, f"-I{PROTO}", f"--{kind}_out={folder}", *options, *files, folder=folder, variables=variables)
    shutil.copy(HERE / "client.go", folder / "main.go")
    run("go", "mod", "init", "placet/client", folder=folder, variables=variables)
    run("go", "get", GRPC, folder=folder, variables=variables)
    run("go", "mod", "tidy", folder=folder, variables=variables)
    return run("go", "run", ".", folder=folder, variables=variables)


def node(folder: Path) -> str:
    """What the Node program says, which reads proto/ itself."""
    variables = {**os.environ, "PROTO": str(PROTO)}
    run("npm", "install", "--silent", "--no-audit", "--no-fund", *NODE, folder=folder, variables=variables)
    shutil.copy(HERE / "client.js", folder / "client.js")
    return run("node", "client.js", folder=folder, variables=variables)


def run(*command: str | Path, folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def say(line: str) -> None:
    """To whoever runs this."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Try every language whose tools are here."""
    tried = 0
    for language in (go, node):
        if not shutil.which(language.__name__):
            say(f"{language.__name__}: not on this machine")
            continue
        with tempfile.TemporaryDirectory(prefix="placet-languages-") as folder:
            said = language(Path(folder)).splitlines()
        if said != WANTED:
            sys.exit(f"{language.__name__} says {said}, not {WANTED}")
        say(f"{language.__name__}: ok")
        tried += 1
    if not tried:
        sys.exit("neither Go nor Node is on this machine")


if __name__ == "__main__":
    main()
