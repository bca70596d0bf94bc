"""The slow twin of the kernel that reads JSON: recursive, on characters, by the parts of Python's own reader."""

import json
import re
from json.decoder import scanstring

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
BLANK = re.compile(r"[ \t\n\r]*")
WORDS = {"null": "null", "true": "truth", "false": "truth"}


class Leaves:
    """Each leaf as (path, kind, start, stop), in the order of the text. Raises ValueError for what is not JSON."""

    def __init__(self, text):
        self.text, self.found = text, []
        at = self.value(BLANK.match(text, 0).end(), ())
        if BLANK.match(text, at).end() != len(text):
            raise ValueError

    def value(self, at, path):
        text = self.text
        if text[at : at + 1] in {"{", "["}:
            return self.container(at, path, is_object=text[at] == "{")
        if text[at : at + 1] == '"':
            end = scanstring(text, at + 1, True)[1]
            self.found.append((path, "escaped" if "\\" in text[at:end] else "plain", at + 1, end - 1))
            return end
        for word, kind in WORDS.items():
            if text.startswith(word, at):
                self.found.append((path, kind, at, at + len(word)))
                return at + len(word)
        match = NUMBER.match(text, at)
        if not match:
            raise ValueError
        kind = "exponent" if match[2] else "fraction" if match[1] else "integer"
        self.found.append((path, kind, at, match.end()))
        return match.end()

    def container(self, at, path, *, is_object):
        end, at = "}" if is_object else "]", self.blank(at + 1)
        if self.text[at : at + 1] == end:
            return at + 1
        while True:
            step = None
            if is_object:
                if self.text[at : at + 1] != '"':
                    raise ValueError
                step, at = scanstring(self.text, at + 1, True)
                at = self.blank(at)
                if self.text[at : at + 1] != ":":
                    raise ValueError
                at = self.blank(at + 1)
            at = self.blank(self.value(at, (*path, step)))
            if self.text[at : at + 1] == end:
                return at + 1
            if self.text[at : at + 1] != ",":
                raise ValueError
            at = self.blank(at + 1)

    def blank(self, at):
        return BLANK.match(self.text, at).end()


def leaves(text):
    """The leaves of a text, or None where it is not JSON."""
    try:
        return Leaves(text).found
    except (ValueError, IndexError):
        return None


def string(text):
    """A text between quotation marks as it reads."""
    return scanstring(text + '"', 0, True)[0]


def written(value):
    """A text as JSON."""
    return json.dumps(value, ensure_ascii=False)


def spelt(text, style):
    """JSON text of the same value, spelt in another way: `style` chooses for each character of a text."""
    made, at = "", 0
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"', text):
        made += text[at : match.start()] + '"' + "".join(_spelt(each, style) for each in json.loads(match[0])) + '"'
        at = match.end()
    return made + text[at:]


def _spelt(character, style):
    plain = json.dumps(character, ensure_ascii=False)[1:-1]
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = "".join(f"\\u{units[k] << 8 | units[k + 1]:04{next(style)}}" for k in range(0, len(units), 2))
    return escaped if next(style) == "x" else plain
