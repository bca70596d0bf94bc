"""The page of the configuration, from the fields of its models and the text below each."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pages.markdown import head, prose, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pdp.config import Config

WORDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}
"""Of the types of values."""


def page() -> Iterator[str]:
    """Every table of the file with its values."""
    yield from head("Configuration", "What `pdp serve --config FILE` reads: a TOML file.")
    yield "A relative path is relative to the file. [For operators](../operating.md#configure) has a whole file."
    yield from ("", "## The file", "")
    yield from _model(Config, "")


def _model(model: type[BaseModel], path: str) -> Iterator[str]:
    """A model's fields, and below them the tables that they hold."""
    meanings = _docstrings(model)
    inner = {name: found for name, field in model.model_fields.items() if (found := _inner(field.annotation))}
    rows = []
    for name, field in model.model_fields.items():
        meaning = prose(meanings.get(name, ""))
        if name in inner:
            heading = _heading(path, name, field.annotation)
            meaning = f"{meaning} See [{heading}](#{re.sub(r'[^a-z_]', '', heading.lower())}).".strip()
        rows.append((f"`{field.alias or name}`", _words(field.annotation), _default(field), meaning))
    yield from table(("name", "type", "default", "meaning"), rows)
    for name, below in inner.items():
        heading = _heading(path, name, model.model_fields[name].annotation)
        yield from (f"## {heading}", "", prose(inspect.cleandoc(below.__doc__ or "")), "")
        yield from _model(below, f"{path}.{name}".lstrip("."))


def _heading(path: str, name: str, annotation: Any) -> str:
    whole = f"{path}.{name}".lstrip(".")
    if _origin(annotation) is tuple:
        return f"`[[{whole}]]`"
    return f"`[{whole}.NAME]`" if _origin(annotation) is dict else f"`[{whole}]`"


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
