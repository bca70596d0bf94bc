"""Finds rules that a caller chooses, because a name that it sends says which data counts. Pure.

1. `data[x]` may be any data and any rule.
2. A rule that restricts by `data.limits[input.context.currency]` says nothing of a currency that the data lacks. So the
   names are listed: by a schema's `enum`, or by `in` in the body; or `object.get` says what counts for the others. A
   statement that asks only whether the name is there, `data.closed[input.context.country]`, is fine.
"""

from collections.abc import Iterator

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.reach import ALLOWS, RESTRICTS
from pdp.policy.shape import FROM, senders
from pdp.policy.untyped import Typing, shown


def chosen(typing: Typing) -> Iterator[Finding]:
    """A finding for each rule that reads data by a name that the caller chooses."""
    for branch in typing.inference.branches:
        alone = {id(each["terms"]) for each in branch.node.get("body", ()) if isinstance(each["terms"], dict)}
        for node, signs in typing.inference.reach.signed(branch) if branch.is_authored else ():
            if node.get("type") != "ref":
                continue
            sentence = _of_all(node)
            if not sentence and RESTRICTS in signs and ALLOWS not in signs:
                sentence = _of_a_table(typing, branch, node, is_alone=id(node) in alone)
            if sentence:
                yield branch.module.finding(node if "location" in node else branch.rule, "chosen-data", sentence)


def _of_all(node: Node) -> str:
    head, *steps = node["value"]
    if head.get("value") != "data" or not steps or steps[0]["type"] == "string":
        return ""
    name = shown(steps[0])
    return (
        f"`data[{name}]` may be any rule and any data; put the tables below one name, such as `data.tables[{name}]`, "
        "and list the names that there are"
    )


def _of_a_table(typing: Typing, branch: Branch, node: Node, *, is_alone: bool) -> str:
    """The sentence for a step into a table of data by a name that the caller chooses."""
    for at, part in enumerate(node["value"][1:], 1):
        table = typing.inference.reach.document(branch.path(until(node, at)))
        is_all = is_alone and at == len(node["value"]) - 1
        if not isinstance(table, dict) or not table or is_all or not _is_chosen(typing, branch, part):
            continue
        name, listed = shown(part), ", ".join(f'"{key}"' for key in sorted(table)[:9])
        return (
            f"of a name that `{shown(until(node, at))}` lacks this rule says nothing, and the caller chooses `{name}`; "
            f'list the names in the schema, `{{"enum": [{listed}]}}`, or deny others: `not {name} in {{{listed}}}`'
        )
    return ""


def _is_chosen(typing: Typing, branch: Branch, part: Node) -> bool:
    """Whether a step is the caller's word, and neither a schema nor the body lists what it may be."""
    for sent in senders(typing.inference.shape(branch, part)):
        path = tuple(sent[FROM])
        is_word = path[1:2] == ("context",) or "properties" in path[2:3]
        if is_word and not {"enum", "const"} & sent.keys() and not _is_listed(branch, part):
            return True
    return False


def _is_listed(branch: Branch, part: Node) -> bool:
    """Whether the body asks whether a name is one of some."""
    for statement in branch.statements:
        function, sides = call(statement)
        if dotted(function) in {"internal.member_2", "equal"} and branch.same(sides[0]) == branch.same(part):
            return True
    return False
