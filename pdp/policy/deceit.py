"""Finds texts that do not say what people read: words of several scripts, and characters that nobody sees."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import orjson

from pdp.policy.finding import Finding
from pdp.policy.module import Module
from pdp.policy.scripts import mixed
from pdp.policy.sources import CORE, Source
from pdp.visible import visible

_PROSE = {"reason", "title", "description"}
"""Keys whose values people read as sentences. A sentence may have words of any script, but no hidden characters."""
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What turns the direction of text, and control characters: in a comment, they show rules other than they are."""
_SPACES = str.maketrans(dict.fromkeys("\n\r\t", " "))


class Use(Enum):
    """What a text is for: a name and a sentence are shown to people, any other text is compared."""

    NAME = "name"
    PROSE = "sentence"
    COMPARED = "text"


def texts(module: Module) -> Iterator[Finding]:
    """A finding for each text of a module, and each line of it, that may deceive."""
    for number, line in enumerate(module.source.content.decode().splitlines(), 1):
        if _TURNING.search(line):
            sentence = f"`{visible(line.strip())}` has characters that turn text or hide it; remove them"
            yield Finding(module.source.shown, number, "hidden-characters", sentence)
    if not module.source.content.isascii() or b"\\" in module.source.content:
        tree = module.tree
        for part in (tree["package"]["path"], *(each["path"] for each in tree.get("imports", ())), module.rules):
            for node, use in _terms(part, Use.COMPARED):
                for rule, sentence in _faults(node["value"], use):
                    yield module.finding(node, rule, sentence)


def _terms(node: Any, use: Use) -> Iterator[tuple[Any, Use]]:
    """Each text of a syntax tree, and what it is for."""
    match node:
        case {"type": "string", "value": str()}:
            yield node, use
        case dict():
            for part, own in _parts(node, use):
                yield from _terms(part, own)
        case list():
            for part in node:
                yield from _terms(part, use)


def _parts(node: Mapping[str, Any], use: Use) -> Iterable[tuple[Any, Use]]:
    """The parts of a syntax tree, and what texts in them are for."""
    match node:
        case {"type": "object", "value": list(pairs)}:
            keys = [(key, Use.NAME) for key, _ in pairs]
            return [*keys, *((value, _use_of(key.get("value"))) for key, value in pairs)]
        case {"type": "ref", "value": list(parts)}:
            return [(parts, Use.NAME)]
        case {"value": [{"value": [{"value": "sprintf"}]}, shape, *rest]}:
            return [(shape, Use.PROSE), (rest, Use.COMPARED)]
        case {"type": "templatestring", "value": {"parts": list(parts)}}:
            return [(parts, Use.PROSE)]
    return [(part, use) for key, part in node.items() if key != "annotations"]


def _use_of(key: Any) -> Use:
    if key in _PROSE:
        return Use.PROSE
    return Use.NAME if key == "rule" else Use.COMPARED


def names(sources: Iterable[Source], documents: Iterable[tuple[Source, Any]]) -> Iterator[Finding]:
    """A finding for each file name, and each text of data and schemas, that may deceive."""
    for source in sources:
        if source.label != CORE and (word := mixed(str(source.path))):
            yield Finding(source.shown, 0, "mixed-scripts", _sentence(word))
        if source.is_schema and not _is_plain(source):
            documents = [*documents, (source, _parsed(source))]
    for source, document in documents:
        if not _is_plain(source):
            for rule, sentence in dict.fromkeys(_in_data(document, Use.COMPARED)):
                yield Finding(source.shown, 0, rule, sentence)


def _is_plain(source: Source) -> bool:
    return source.content.isascii() and b"\\" not in source.content


def _parsed(source: Source) -> Any:
    try:
        return orjson.loads(source.content)
    except ValueError:
        return None


def _in_data(node: Any, use: Use) -> Iterator[tuple[str, str]]:
    match node:
        case str():
            yield from _faults(node, use)
        case dict():
            for key, value in node.items():
                yield from _faults(key, Use.NAME)
                yield from _in_data(value, _use_of(key))
        case list():
            for each in node:
                yield from _in_data(each, use)


def _faults(text: str, use: Use) -> Iterator[tuple[str, str]]:
    """What may deceive in a text. A text that is only compared may hold line ends, or be one hidden character alone."""
    asked = text.translate(_SPACES) if use is Use.COMPARED else text
    has_word = any(character.isalnum() for character in text)
    if visible(asked).replace("\\\\", "\\") != asked and (has_word or use is not Use.COMPARED):
        yield "hidden-characters", f"`{visible(text)}` has characters that nobody sees; remove them"
    if use is not Use.PROSE and (word := mixed(text)):
        yield "mixed-scripts", _sentence(word)


def _sentence(word: str) -> str:
    others = dict.fromkeys(character for character in word if not character.isascii())
    shown = ", ".join(f"{visible(character)} U+{ord(character):04X}" for character in others)
    return f"the word `{visible(word)}` mixes scripts ({shown}), so it may look like another; write it in one script"
