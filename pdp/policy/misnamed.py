"""Finds types and actions with two names: a schema's file says one, rules say one that is much like it. Pure.

Such a schema is of nothing that rules decide about, or such a rule is of nothing that callers send. A name that only
begins or ends with the other, as `redeploy` and `deploy`, is another name.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from pdp.policy.branch import Branch
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.near import near
from pdp.policy.reference import ACTION, TYPE
from pdp.policy.schema import ACTIONS, ANY_ACTION, CONTEXTS, RESOURCES, SUBJECTS
from pdp.policy.shape import FROM, MADE
from pdp.policy.sources import Source
from pdp.policy.untyped import Typing

_FOLDERS: Mapping[tuple[str | None, ...], tuple[PurePosixPath, ...]] = {
    TYPE: (RESOURCES,),
    ("input", "subject", "type"): (SUBJECTS,),
    ("input", "on_behalf_of", None, "type"): (SUBJECTS,),
    ACTION: (CONTEXTS, ACTIONS),
}
"""Where the schemas lie of what is named at a place of the request."""
_OTHER_WORD = 2
"""Letters by which a longer name is another word, where it begins or ends with the shorter."""


def misnamed(typing: Typing, sources: Iterable[Source]) -> Iterator[Finding]:
    """A finding for each schema's file and each rule whose type or action is called otherwise by the others."""
    files = [source for source in sources if source.is_schema and source.path.stem != ANY_ACTION]
    named: dict[tuple[PurePosixPath, ...], dict[str, tuple[Branch, Node]]] = {}
    for folders, name, branch, node in _named(typing):
        named.setdefault(folders, {}).setdefault(name, (branch, node))
    for folders, places in named.items():
        own = {source.path.stem: source for source in files if source.path.parent in folders}
        for name, (branch, node) in places.items():
            if name in own or not (stem := _meant(name, own)):
                continue
            file = own[stem].path
            if stem in places:
                sentence = f"`{name}` is much like `{stem}` of {file}; mend the name, or write {file.with_stem(name)}"
                yield branch.module.finding(node, "misspelt-type", sentence)
            else:
                sentence = f"no rule names `{stem}`, but `{name}`; rename the file to {name}.json, or mend the rule"
                yield Finding(own[stem].shown, 0, "misspelt-type", sentence)


def _named(typing: Typing) -> Iterator[tuple[tuple[PurePosixPath, ...], str, Branch, Node]]:
    """Each text with which a rule compares a type or an action: where its schemas lie, the text, and its place."""
    for branch in typing.inference.branches:
        for node, _, function, sides in branch.calls if branch.is_authored else ():
            if function not in {"equal", "eq", "neq", "internal.member_2"}:
                continue
            for one, other in (sides[:2], sides[1::-1]):
                shape = typing.inference.shape(branch, one)
                folders = _FOLDERS.get(shape.get(FROM, ()), ()) if MADE not in shape else ()
                for name in _texts(branch, other) if folders else ():
                    yield folders, name, branch, node if "location" in node else branch.rule


def _texts(branch: Branch, term: Node) -> Iterator[str]:
    known = branch.expanded(term)
    for each in known["value"] if known["type"] in {"array", "set"} else [known]:
        if (text := branch.expanded(each))["type"] == "string":
            yield text["value"]


def _meant(name: str, stems: Iterable[str]) -> str:
    """The stem that is meant by a name; empty if none is like it, or only another word."""
    stem = near(name, stems)
    short, long = sorted((name.casefold(), stem.casefold()), key=len)
    is_other = len(long) - len(short) >= _OTHER_WORD and (long.startswith(short) or long.endswith(short))
    return "" if is_other else stem
