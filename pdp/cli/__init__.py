"""The command line. Each file is for one noun and is thin: it parses, calls the client and prints.

A command imports what it needs inside its function. So it starts quickly, and the client's commands work without the
extra `server`.
"""

from typing import Annotated

import typer

from pdp import __version__
from pdp.cli import (
    approvals,
    audit,
    decisions,
    dev,
    doctor,
    examples,
    grant,
    identity,
    keys,
    lineage,
    masks,
    mongo,
    notify,
    people,
    policy,
    run,
    serve,
    unmask,
)
from pdp.say import tell

app = typer.Typer(
    name="pdp",
    cls=examples.Sections,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def placet(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Ask, approve, mask, run and audit a Placet policy decision point.

    Data goes to standard output: a table on a terminal, and JSON in a pipe or a file unless -o says otherwise.
    Everything else goes to standard error. `pdp COMMAND --help` has examples.
    """
    if version:
        tell(__version__)
        raise typer.Exit


for group in (masks.app, lineage.app, audit.app, grant.app, policy.app, keys.app, mongo.app, notify.app, people.app):
    app.add_typer(group)
for module in (approvals, dev, serve, doctor, identity, decisions, run, unmask):
    module.add_to(app)
examples.add_to(app)
