"""The command line: one file a noun, each thin: parse, call, print. What a command needs is imported inside it."""

import typer

from pdp.cli import approvals, audit, decisions, dev, identity, keys, masks, policy, serve, unmask

app = typer.Typer(
    name="pdp",
    help="Ask, approve, mask, run and audit a Placet policy decision point.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for group in (approvals.app, masks.app, audit.app, policy.app, keys.app):
    app.add_typer(group)
for module in (dev, serve, identity, decisions, unmask):
    module.add_to(app)
