"""The page of the contract, from the descriptors and comments that buf reads."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from pages.markdown import head, prose, table

ROOT = Path(__file__).parents[2]
BUF = Path(sys.executable).with_name("buf")
_FIELD, _NESTED, _ENUM, _MESSAGE, _SERVICE, _TYPE = 2, 3, 4, 4, 6, 5
"""Numbers of the members of descriptors, of which paths of comments consist."""
_NAMES = (
    "The options of every file, for the generators of each language. The Go path has no dot in its first part, so that "
    "no tool fetches it from anywhere: a program requires it and names a checkout with `replace`."
)
Comments = dict[tuple[int, ...], str]


def page() -> Iterator[str]:
    """Every service, message and enum by file; files with services come first."""
    image = subprocess.run([BUF, "build", "-o", "-#format=binpb"], cwd=ROOT, check=True, capture_output=True).stdout
    files = [file for file in FileDescriptorSet.FromString(image).file if file.name.startswith("pdp/")]
    yield from head("Contract", "The package `pdp.v1` by file, from the comments in `proto/pdp/v1`.")
    yield from _options(files[0])
    for file in sorted(files, key=lambda file: (not file.service, file.name)):
        yield from _file(file)


def _options(file: FileDescriptorProto) -> Iterator[str]:
    """What generated code is called in each language; every file has the same options."""
    yield from ("## Names in generated code", "", _NAMES, "")
    set_options = sorted((field.name, value) for field, value in file.options.ListFields())
    yield from table(("option", "value"), [(f"`{name}`", f"`{_text(value)}`") for name, value in set_options])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
    yield from (f"### {service.name}", "", prose(comments.get(path, "")), "")
    rows = []
    for index, method in enumerate(service.method):
        asked = ("stream of " if method.client_streaming else "") + _link(method.input_type)
        answered = ("stream of " if method.server_streaming else "") + _link(method.output_type)
        rows.append((f"`{method.name}`", asked, answered, prose(comments.get((*path, 2, index), ""))))
    yield from table(("RPC", "takes", "returns", "meaning"), rows)


def _message(message: DescriptorProto, path: tuple[int, ...], comments: Comments, outer: str) -> Iterator[str]:
    name = outer + message.name
    yield from (f"### {name}", "", prose(comments.get(path, "")), "")
    entries = {f".{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    rows = []
    for index, field in enumerate(message.field):
        kind = next((_map(entry) for end, entry in entries.items() if field.type_name.endswith(end)), "") or _kind(
            field
        )
        chosen = field.HasField("oneof_index") and not field.proto3_optional
        meaning = f"One of `{message.oneof_decl[field.oneof_index].name}`. " if chosen else ""
        rows.append((f"`{field.name}`", kind, meaning + prose(comments.get((*path, _FIELD, index), ""))))
    yield from table(("field", "type", "meaning"), rows)
    for index, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from _message(nested, (*path, _NESTED, index), comments, f"{name}.")
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, (*path, _ENUM, index), comments, f"{name}.")


def _enum(enum: EnumDescriptorProto, path: tuple[int, ...], comments: Comments, outer: str) -> Iterator[str]:
    yield from (f"### {outer}{enum.name}", "", prose(comments.get(path, "")), "")
    rows = [(f"`{value.name}`", prose(comments.get((*path, 2, index), ""))) for index, value in enumerate(enum.value)]
    yield from table(("value", "meaning"), rows)


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
