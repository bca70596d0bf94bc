"""What commands take as NAME=VALUE: properties of the resource and members of the context.

1. VALUE is JSON, or else text.
2. A value that begins like JSON and is none is refused: a shell has taken its quotes, and a policy would not see it.
3. --property-text and --context-text take VALUE as text in all cases.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, NoReturn

import typer

from pdp.cli import exit_code
from pdp.text import Text, resembles_json, resembles_word

Properties = Annotated[
    list[str] | None,
    typer.Option("--property", metavar="NAME=VALUE", help="A property of the resource; VALUE is JSON, or else text."),
]
PropertyTexts = Annotated[
    list[str] | None,
    typer.Option("--property-text", metavar="NAME=TEXT", help="A property that is text, even if it begins like JSON."),
]
Context = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="A member of the context; VALUE is JSON, or else text."),
]
ContextTexts = Annotated[
    list[str] | None,
    typer.Option("--context-text", metavar="NAME=TEXT", help="A member that is text, even if it begins like JSON."),
]


def members(assignments: Iterable[str] | None, texts: Iterable[str] | None, option: str) -> dict[str, Any]:
    """The members that NAME=VALUE of `option`, and NAME=TEXT of `option`-text, give."""
    found: dict[str, Any] = {}
    for given, read, name in ((assignments, _value, option), (texts, _text, f"{option}-text")):
        for assignment in given or ():
            member, equals, text = assignment.partition("=")
            if not equals or not member:
                exit_code.fail(f"{name} must be NAME=VALUE", exit_code.USAGE)
            if member in found:
                exit_code.fail(f"{name} gives {member} twice", exit_code.USAGE)
            found[member] = read(text, option, member)
    return found


def _value(text: str, option: str, member: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refused_constant, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        if resembles_json(text):
            _refuse(option, member, f'begins like JSON and is none; in sh quote it, \'{member}=["a", "b"]\'')
        if resembles_word(text):
            _refuse(option, member, f"is not JSON, which writes {member}=true, {member}=false and {member}=null")
        return Text(text)
    return Text(value) if isinstance(value, str) else value


def _text(text: str, _option: str, _member: str) -> str:
    return Text(text)


def _refuse(option: str, member: str, why: str) -> NoReturn:
    """Refuse a value that would be text where a list or a flag was meant."""
    exit_code.fail(
        f"{option} {member}: the value {why}; if it is text, pass {option}-text {member}=TEXT", exit_code.USAGE
    )


def _refused_constant(text: str) -> None:
    """Refuse NaN and Infinity, which Python's reader takes: they are not JSON."""
    raise ValueError(text)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that names a member twice is not I-JSON."""
    held = dict(pairs)
    if len(held) < len(pairs):
        raise ValueError("a member twice")
    return held
