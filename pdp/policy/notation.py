"""Finds what JSON and YAML lose in silence: keys written twice, second documents, words with two meanings.

Only this file imports yaml.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pdp.policy.finding import Finding
from pdp.policy.sources import Source

_WORDS = re.compile(r"y|n|yes|no|on|off", re.IGNORECASE)
"""Texts for OPA, and true or false for other readers of YAML."""
_NUMBERS = re.compile(r"[-+]?(?:0\d[\d_.]*|\d[\d_]*_[\d_.]*|\d+(?::[0-5]?\d)+(?:\.\d*)?)")
"""Numbers that are not what they look like: 0777 is 511, 1_000 is 1000, and 1:30 is a text, or 90 for other readers."""
_KEPT = "`{}` is written twice in one object, and only the last would count; keep one of them"


def lost(source: Source) -> Iterator[Finding]:
    """A finding for each fault in the writing of a JSON or YAML file that OPA can parse. `ValueError` if we cannot."""
    try:
        found = _in_json(source) if source.path.suffix == ".json" else _in_yaml(source)
    except RecursionError:
        raise ValueError from None
    for line, rule, sentence in sorted(set(found)):
        yield Finding(source.shown, line, rule, sentence)


def _in_json(source: Source) -> list[tuple[int, str, str]]:
    twice: set[str] = set()

    def once_each(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice.update(name for name, count in Counter(names).items() if count > 1)

    json.loads(source.content, object_pairs_hook=once_each)
    return [(0, "conflicting-data", _KEPT.format(name)) for name in twice]


def _in_yaml(source: Source) -> list[tuple[int, str, str]]:
    import yaml  # noqa: PLC0415  # most policies have none, and it comes with the extra `server`

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(_of_events(yaml, yaml.parse(source.content, Loader=loader)))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ValueError(f"yaml: line {line}") from None
    except yaml.YAMLError:
        raise ValueError from None


def _of_events(yaml: Any, events: Iterable[Any]) -> Iterator[tuple[int, str, str]]:
    documents, open_now = 0, list[_Collection]()
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                yield line, "second-document", "only the first document of a file counts; write one, without `---`"
        elif isinstance(event, yaml.CollectionEndEvent):
            open_now.pop()
        elif isinstance(event, yaml.NodeEvent):
            is_key = bool(open_now) and open_now[-1].takes()
            if is_key and isinstance(event, yaml.ScalarEvent) and open_now[-1].has(event.value):
                yield line, "conflicting-data", _KEPT.format(event.value)
            if isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
                yield from ((line, "yaml-surprise", sentence) for sentence in _surprise(event.value, is_key=is_key))
            if isinstance(event, yaml.CollectionStartEvent):
                open_now.append(_Collection(is_mapping=isinstance(event, yaml.MappingStartEvent)))


class _Collection:
    """A list or a mapping that is being read, and the mapping's keys."""

    def __init__(self, *, is_mapping: bool) -> None:
        self._is_mapping, self._nodes = is_mapping, 0
        self._keys: set[str] = set()

    def takes(self) -> bool:
        """Take the next node; whether it is a key."""
        self._nodes += 1
        return self._is_mapping and self._nodes % 2 == 1

    def has(self, key: str) -> bool:
        """Whether the key was there before; it is there now."""
        before = len(self._keys)
        self._keys.add(key)
        return len(self._keys) == before


def _surprise(text: str, *, is_key: bool) -> Iterator[str]:
    if _NUMBERS.fullmatch(text):
        yield f"`{text}` is not the number that it looks like; write it plainly, or in quotes if it is a text"
    elif _WORDS.fullmatch(text) and not is_key:
        yield f'`{text}` is a text here, and true or false elsewhere; write "{text}", true or false'
