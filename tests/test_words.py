"""What a reader would stumble over: sentences that must be decoded, and numbers without a reason."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

# Each phrase with the plain words that say the same.
RIDDLES = {
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b)[a-z]": "it is not a …",
    r"\b(?:is|are|was|were) none (?:of|that|here)\b": "it is not …",
    r"^so (?:many|few|long)\b|\bso (?:many|few|long) (?:a|an|at)\b": "… per page; at most …",
    r"\b(?:whoever|whatever)\b": "a caller who …; with any …",
    r"\b(?:a line|one line|one document|one message) an? ": "one … for each …",
    r"\bas it must be\b": "say what it must be",
}
PLAIN = [
    "proto",
    "rego",
    "pdp",
    "masker",
    "tools",
    "docs",
    "examples",
    "clients",
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
]
BUILT = {"build", "dist", "node_modules", "target"}


def files(*suffixes: str) -> list[Path]:
    found = [
        path
        for name in PLAIN
        for path in (Path(name), *Path(name).rglob("*"))
        if path.suffix in suffixes and not BUILT & {*path.parts}
    ]
    assert all(Path(name).exists() for name in PLAIN)
    return sorted(path for path in found if not path.name.endswith("_test.rego") and "v1" not in path.parts)


def texts(path: Path) -> Iterator[str]:
    """Docstrings, other texts and comments of a Python file; every line of another file."""
    if path.suffix != ".py":
        yield from path.read_text().splitlines()
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    with path.open("rb") as file:
        yield from (token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT)


def riddles(text: str) -> list[str]:
    """What to write instead of each riddle in a text."""
    return [plain for riddle, plain in RIDDLES.items() if re.search(riddle, text, re.IGNORECASE | re.MULTILINE)]


def test_no_sentence_is_a_riddle() -> None:
    all_texts = [(path, text) for path in files(".py", ".proto", ".rego", ".md") for text in texts(path)]
    assert not [(str(path), text, found) for path, text in all_texts if (found := riddles(text))]


@pytest.mark.parametrize(
    "riddle",
    [
        "requests is no AuthorizeRequest",
        "resume_token: is none of this server",
        "So many a page, up to 100.",
        "whoever did not get it discards what came",
        "Write the whole log as JSON Lines, a line a batch",
        "Raises `SetupError` where a part is not as it must be.",
    ],
)
def test_riddle_is_recognised(riddle: str) -> None:
    assert riddles(riddle)


@pytest.mark.parametrize(
    "plain", ["there is no OPA on the PATH", "the key is no longer in force", "it is not an AuthorizeRequest"]
)
def test_plain_sentence_passes(plain: str) -> None:
    assert not riddles(plain)


def is_number(node: ast.AST | None) -> bool:
    match node:
        case ast.Constant(value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.BinOp(left, _, right):
            return is_number(left) and is_number(right)
        case ast.Tuple(elements):
            return all(map(is_number, elements))
        case ast.Call(ast.Name("timedelta")):
            return True
    return False


def unexplained(source: str) -> list[str]:
    """The public numbers of a module without a sentence below them or a comment beside them."""
    lines, body = source.splitlines(), ast.parse(source).body
    found = []
    for node, below in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not is_number(node.value):
            continue
        names = [name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]
        has_sentence = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if not has_sentence and "#" not in lines[node.lineno - 1]:
            found += [name for name in names if not name.startswith("_")]
    return found


def test_every_number_says_its_unit_and_its_reason() -> None:
    assert not {str(path): found for path in files(".py") if (found := unexplained(path.read_text()))}


def test_number_without_a_sentence_is_found() -> None:
    source = 'A = 1\n"""Its reason."""\nB = 2  # its reason\n_C = 3\nD, E = 4, 5.0\nF: int = 6 * 1024\n'
    assert unexplained(source + "G = timedelta(days=1)\n") == ["D", "E", "F", "G"]
