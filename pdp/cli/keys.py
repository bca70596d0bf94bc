"""`pdp keys`: makes and rotates the key file that masks, and splits the keys that sign.

Anyone who has the key file that masks can unmask without Placet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.errors import SetupError
from pdp.say import say, tell

app = typer.Typer(name="keys", help="Make, list and rotate keys that mask; split a signing key.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The key file, mode 0600.")]


@app.command("list")
def list_versions(file: _File) -> None:
    """List the key versions.

    One masks, and readable ones can still unmask.
    """
    import masker

    with _refused():
        keyring = masker.Keyring.load(file)
    tell(f"realm {keyring.realm}")
    for version in keyring.versions.values():
        tell(f"{version.version:>4}  {version.state:<9} {version.created}")


@app.command()
def rotate(
    file: _File,
    realm: Annotated[str, typer.Option(help="Make the file for this realm if there is no file yet.")] = "",
) -> None:
    """Add a version that masks from now on.

    Data that older versions masked can still be unmasked; `pdp mask rewrap` moves it to the new version.
    """
    from masker import keys

    if not (file.exists() or realm):
        exit_code.fail(f"there is no {file}; --realm NAME makes it, for the realm of the server's configuration")
    with _refused():
        if not file.exists():
            keys.create(file, realm, now=datetime.now(UTC))
            version = 1
        elif realm and realm != (held := keys.Keyring.load(file).realm):
            exit_code.fail(f"{file} is of the realm {held}; nothing was changed: name another, or leave --realm out")
        else:
            version = keys.rotate(file, now=datetime.now(UTC))
    say(f"version {version} masks from now on")


@app.command()
def retire(file: _File, version: Annotated[int, typer.Argument(help="The version; it must be readable.")]) -> None:
    """Make a version unusable.

    The data that it masked can no longer be unmasked or rewrapped.
    """
    from masker import keys

    with _refused():
        keys.retire(file, version)


@app.command()
def split(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder of the server's audit.jwk and grant.jwk.")
    ],
) -> None:
    """Give seals a key of their own, once, while no server runs.

    The key in grant.jwk, which signed seals too, moves to seal.jwk, so that approvals and reviews stay valid. A new
    grant.jwk is made. Start every process of the deployment with both.
    """
    from pdp import keys

    try:
        keys.split(folder)
    except SetupError as error:
        exit_code.fail(error.sentence)
    say(f"{folder / 'seal.jwk'} signs seals, and the new {folder / 'grant.jwk'} grants; give both to every process")


@contextmanager
def _refused() -> Iterator[None]:
    try:
        import masker
    except ImportError:
        exit_code.fail("this needs the extra `mask`: pip install 'placet[mask]'")
    try:
        yield
    except masker.MaskError as error:
        exit_code.fail(str(error))
    except OSError as error:
        exit_code.fail(f"{error.filename} cannot be used: {error.strerror}; make the folder, or name another")
