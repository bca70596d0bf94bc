"""The one page of the identity provider of `pdp dev`: a button for each demo person."""

from collections.abc import Mapping
from html import escape

from pdp.dev import identity


def chooser(asked: Mapping[str, str], path: str) -> bytes:
    """The page for an authorization request, which goes on with its form."""
    hidden = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
    )
    people = [person for person in identity.PEOPLE.values() if person.type == "user"]
    buttons = "\n".join(
        f'<p><button name="person" value="{person.sub}">{person.sub}</button> {escape(person.what)}</p>'
        for person in people
    )
    return f"""\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Log in - pdp dev</title>
<link rel="stylesheet" href="/inbox/style.css"><link rel="icon" href="/inbox/static/icon.png"></head>
<body><main>
<h1>Who are you?</h1>
<p>These are the demo people of <code>pdp dev</code>. Everybody on this machine can be each of them.</p>
<form method="post" action="{path}/authorize">
{hidden}
{buttons}
</form>
</main></body>
</html>
""".encode()
