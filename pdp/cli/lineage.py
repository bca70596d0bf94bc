"""`pdp lineage`: where data came from, what is in it, and what people say of that."""

import typer

from pdp.cli import lineage_load, suggest

app = typer.Typer(name="lineage", help="See where data came from, and say what is in it.", no_args_is_help=True)
app.command()(lineage_load.load)
app.command()(suggest.suggest)
