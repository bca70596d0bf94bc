"""Writes docs/reference: the commands, the contract and the configuration, each from what defines it.

`make gen` runs it. With `--check`, as `make lint` runs it, it writes nothing and ends with 1 if a page differs.
"""

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pdp.cli import app
from pdp.config import Config

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"
BUF = Path(sys.executable).with_name("buf")
SHARED = 10
"""An option that this many commands have in the same words is one of all client commands, and described once."""
WORDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}


def main() -> int:
    """Write the pages, or say which are not what they would be."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    if variables != dict(os.environ):  # else this machine's address would be shown as the default
        return subprocess.run([sys.executable, *sys.argv], env=variables, check=False).returncode
    pages = {"cli.md": _cli(), "contract.md": _contract(), "configuration.md": _configuration()}
    texts = {PAGES / name: "\n".join(lines).rstrip() + "\n" for name, lines in pages.items()}
    if "--check" not in sys.argv:
        for path, text in texts.items():
            path.write_text(text)
        return 0
    stale = [path.name for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if stale:
        print(f"docs/reference differs from what it is made of, run `make gen`: {', '.join(stale)}")
    return 1 if stale else 0


def _head(title: str, what: str) -> Iterator[str]:
    yield from (f"# {title}", "", f"{what} `make gen` makes this page; do not edit it.", "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    if lines:
        yield from (f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, "")


def _prose(text: str) -> str:
    """A comment or docstring on one line, with nothing that Markdown or HTML would take for its own."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*")


# The commands. Typer's own classes are not public, so commands and parameters are taken as they come.


def _cli() -> Iterator[str]:
    root = typer.main.get_command(app)
    found = list(_commands(root, "pdp"))
    uses = Counter(row for _, command in found for row in _rows(command, "option"))
    shared = [row for row, count in uses.items() if count >= SHARED]
    yield from _head("Commands", f"{_prose(root.help or '')} `pdp COMMAND --help` shows the same in a terminal.")
    yield from ("## Options of client commands", "", "Every command that calls a server takes most of these.", "")
    yield from _table(("option", "meaning"), shared)
    for path, command in found:
        yield from _command(path, command, shared)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _command(path: str, command: Any, shared: Sequence[tuple[str, str]]) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(typer.Context(command)))
    yield from (f"## {path}", "", f"`{path} {pieces}`", "")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from (_prose(paragraph), "")
    options = list(_rows(command, "option"))
    yield from _table(("argument", "meaning"), _rows(command, "argument"))
    yield from _table(("option", "meaning"), [row for row in options if row not in shared])
    if set(shared).intersection(options):
        but = [name for name, meaning in shared if (name, meaning) not in options]
        less = f" less {', '.join(but)}" if but else ""
        yield from (f"Also the [options of client commands](#options-of-client-commands){less}.", "")


def _rows(command: Any, kind: str) -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        if parameter.param_type_name == kind:
            name, meaning = parameter.get_help_record(typer.Context(command))
            yield f"`{name}`", _prose(meaning)


# The contract.

_FIELD, _NESTED, _ENUM, _MESSAGE, _SERVICE, _TYPE = 2, 3, 4, 4, 6, 5
"""Numbers of the members of descriptors, of which paths of comments consist."""
Comments = dict[tuple[int, ...], str]


def _contract() -> Iterator[str]:
    image = subprocess.run([BUF, "build", "-o", "-#format=binpb"], cwd=ROOT, check=True, capture_output=True).stdout
    files = [file for file in FileDescriptorSet.FromString(image).file if file.name.startswith("pdp/")]
    yield from _head("Contract", "The package `pdp.v1` by file, from the comments in `proto/pdp/v1`.")
    for file in sorted(files, key=lambda file: (not file.service, file.name)):
        yield from _file(file)


def _file(file: FileDescriptorProto) -> Iterator[str]:
    comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    yield from (f"## {Path(file.name).name}", "", f"[`proto/{file.name}`](../../proto/{file.name})", "")
    for index, service in enumerate(file.service):
        yield from _service(service, (_SERVICE, index), comments)
    for index, message in enumerate(file.message_type):
        yield from _message(message, (_MESSAGE, index), comments, "")
    for index, enum in enumerate(file.enum_type):
        yield from _enum(enum, (_TYPE, index), comments, "")


def _service(service: ServiceDescriptorProto, path: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield from (f"### {service.name}", "", _prose(comments.get(path, "")), "")
    rows = []
    for index, method in enumerate(service.method):
        asked = ("stream of " if method.client_streaming else "") + _link(method.input_type)
        answered = ("stream of " if method.server_streaming else "") + _link(method.output_type)
        rows.append((f"`{method.name}`", asked, answered, _prose(comments.get((*path, 2, index), ""))))
    yield from _table(("RPC", "takes", "returns", "meaning"), rows)


def _message(message: DescriptorProto, path: tuple[int, ...], comments: Comments, outer: str) -> Iterator[str]:
    name = outer + message.name
    yield from (f"### {name}", "", _prose(comments.get(path, "")), "")
    entries = {f".{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    rows = []
    for index, field in enumerate(message.field):
        kind = next((_map(entry) for end, entry in entries.items() if field.type_name.endswith(end)), "") or _kind(
            field
        )
        chosen = field.HasField("oneof_index") and not field.proto3_optional
        meaning = f"One of `{message.oneof_decl[field.oneof_index].name}`. " if chosen else ""
        rows.append((f"`{field.name}`", kind, meaning + _prose(comments.get((*path, _FIELD, index), ""))))
    yield from _table(("field", "type", "meaning"), rows)
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, (*path, _NESTED, index), comments, f"{name}.")
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, (*path, _ENUM, index), comments, f"{name}.")


def _enum(enum: EnumDescriptorProto, path: tuple[int, ...], comments: Comments, outer: str) -> Iterator[str]:
    yield from (f"### {outer}{enum.name}", "", _prose(comments.get(path, "")), "")
    rows = [(f"`{value.name}`", _prose(comments.get((*path, 2, index), ""))) for index, value in enumerate(enum.value)]
    yield from _table(("value", "meaning"), rows)


def _kind(field: FieldDescriptorProto) -> str:
    scalar = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    kind = _link(field.type_name) if field.type_name else scalar
    return f"repeated {kind}" if field.label == FieldDescriptorProto.LABEL_REPEATED else kind


def _map(entry: DescriptorProto) -> str:
    key, value = entry.field
    return f"map of {_kind(key)} to {_kind(value)}"


def _link(type_name: str) -> str:
    name = type_name.lstrip(".")
    if not name.startswith("pdp.v1."):
        return f"`{name}`"
    short = name.removeprefix("pdp.v1.")
    return f"[{short}](#{short.replace('.', '').lower()})"


# The configuration.


def _configuration() -> Iterator[str]:
    yield from _head("Configuration", "What `pdp serve --config FILE` reads: a TOML file.")
    yield "A relative path is relative to the file. [For operators](../operating.md#configure) has a whole file."
    yield from ("", "## The file", "")
    yield from _model(Config, "")


def _model(model: type[BaseModel], table: str) -> Iterator[str]:
    """A model's fields, and below them the tables that they hold."""
    meanings = _docstrings(model)
    inner = {name: found for name, field in model.model_fields.items() if (found := _inner(field.annotation))}
    rows = []
    for name, field in model.model_fields.items():
        meaning = _prose(meanings.get(name, ""))
        if name in inner:
            heading = _heading(table, name, field.annotation)
            meaning = f"{meaning} See [{heading}](#{re.sub(r'[^a-z_]', '', heading.lower())}).".strip()
        rows.append((f"`{name}`", _words(field.annotation), _default(field), meaning))
    yield from _table(("name", "type", "default", "meaning"), rows)
    for name, below in inner.items():
        heading = _heading(table, name, model.model_fields[name].annotation)
        yield from (f"## {heading}", "", _prose(inspect.cleandoc(below.__doc__ or "")), "")
        yield from _model(below, f"{table}.{name}".lstrip("."))


def _heading(table: str, name: str, annotation: Any) -> str:
    path = f"{table}.{name}".lstrip(".")
    if _origin(annotation) is tuple:
        return f"`[[{path}]]`"
    return f"`[{path}.NAME]`" if _origin(annotation) is dict else f"`[{path}]`"


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field, of the model and of what it inherits."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(parent))).body[0].body  # type: ignore[attr-defined]
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[ast.unparse(field.target)] = str(text.value.value)
    return found


def _origin(annotation: Any) -> Any:
    origin = get_origin(annotation)
    if origin in {Annotated, Union, UnionType}:
        return _origin(get_args(annotation)[0])
    return origin


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, (_inner(part) for part in get_args(annotation))), None)


def _words(annotation: Any) -> str:
    """A type in words: `tuple[Path, ...]` is "list of path"."""
    if get_origin(annotation) is Annotated:
        return _words(get_args(annotation)[0])
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part not in {type(None), ...}]
    if origin in {tuple, dict}:
        return f"{'list' if origin is tuple else 'table'} of {_words(parts[-1])}"
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(_words(part) for part in parts))
    if _inner(annotation):
        return "table"
    values = parts if origin is Literal else getattr(annotation, "__members__", {}).values()
    return ", ".join(f"`{value}`" for value in values) or WORDS[annotation.__name__]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ("", (), {}):
        return ""
    if isinstance(default, tuple):
        return ", ".join(f"`{value}`" for value in default)
    return f"`{default:_}`" if isinstance(default, int) else f"`{default}`"


if __name__ == "__main__":
    sys.exit(main())
