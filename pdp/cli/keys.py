"""`pdp keys`: makes and rotates the key file that masks. Anyone who has this file can unmask without Placet."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pdp.cli import exit_code
from pdp.say import say, tell

app = typer.Typer(name="keys", help="Make, list and rotate the keys that mask.", no_args_is_help=True)

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

    with _refused():
        if file.exists() or not realm:
            version = keys.rotate(file, now=datetime.now(UTC))
        else:
            keys.create(file, realm, now=datetime.now(UTC))
            version = 1
    say(f"version {version} masks from now on")


@app.command()
def retire(file: _File, version: Annotated[int, typer.Argument(help="The version; it must be readable.")]) -> None:
    """Make a version unusable.

    The data that it masked can no longer be unmasked or rewrapped.
    """
    from masker import keys

    with _refused():
        keys.retire(file, version)


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
