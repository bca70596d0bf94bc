"""`pdp policy attack`: whether what a caller says can make a policy's answer weaker."""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import asked, exit_code, request_file
from pdp.environment import Environment
from pdp.errors import PdpError
from pdp.say import say, tell
from pdp.visible import typed, visible

if TYPE_CHECKING:
    from pdp.opa.attack import Found, Report
    from pdp.opa.question import Question
    from pdp.policy.accepted import Accepted

MOST_NOTES = 20
"""Notes that are printed. They are not findings, and a policy that rests on roles has hundreds."""
MOST_UNUSABLE = 5
"""Unusable requests that are printed; a file of another kind has one in each line."""


def add_to(app: typer.Typer) -> None:
    """Add the command to `pdp policy`."""
    app.command()(attack)


def attack(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", help="Folders of Rego, data and tests; by default the reference policy."),
    ] = None,
    files: asked.Files = None,
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="A group of the callers of what is in FILE; may be repeated."),
    ] = None,
    person_types: Annotated[
        list[str] | None,
        typer.Option("--person-type", metavar="TYPE", help="A type of identities that are people; by default user."),
    ] = None,
) -> None:
    """Find changes of a request that weaken its answer.

    For each request of the policy's tests and of each FILE (there may be several) it changes what the caller says, one
    thing at a time, such as a value left out or in another case. Each change that loses a rule, a reviewer, an
    obligation or a mask is a finding, unless `data.policy_attack.accepted` has it. Changes of subject, chain and
    caller, for which a credential vouches, are notes.

    Exit status: 0 there are no findings, else 4; 3 the policy does not pass its check.
    """
    from pdp.opa.attack import attacked
    from pdp.policy.sources import rego
    from pdp.process import toolcache

    people = frozenset(person_types or ["user"])
    given = [question for file in files or () for question in _questions(file, groups or (), people)]
    try:
        opa = toolcache.opa(Environment.read().tool_cache)
        run = attacked(opa, folders or [rego()], given, person_types=people, progress=_progress)
        report = asyncio.run(run)
    except PdpError as error:
        exit_code.fail(error.sentence, exit_code.POLICY_ERROR)
    _print(report)


def _questions(file: str, groups: Sequence[str], people: frozenset[str]) -> "list[Question]":
    """The requests of a file, each asked by its subject."""
    from pdp.opa.question import given

    requests, batch = request_file.read(file)
    places = [f"{file}, request {number}" if batch else file for number in range(1, len(requests) + 1)]
    return [given(place, request, groups, people) for place, request in zip(places, requests, strict=True)]


def _print(report: "Report") -> None:
    """Print findings as data, everything else as notes, and end the command."""
    for where, why in report.unusable[:MOST_UNUSABLE]:
        _note(f"left out: {where}: {why}")
    if (more := len(report.unusable) - MOST_UNUSABLE) > 0:
        _note(f"left out: {more} more")
    for note in report.notes[:MOST_NOTES]:
        _note(f"note: {_change(note)}")
    if (more := len(report.notes) - MOST_NOTES) > 0:
        _note(f"note: {more} more changes of subject, chain or caller weaken answers")
    for block in _blocks(report.findings):
        tell(_shown(block))
    for line in report.unmatched:
        tell(_unmatched(line))
    _end(report)


def _end(report: "Report") -> None:
    done = f"{report.questions} requests, {report.variants} changes"
    if not report.questions:
        exit_code.fail(
            "there are no requests to change: write tests that ask data.pdp.decision, or name a file with -f",
            exit_code.POLICY_TESTS_FAILED,
        )
    if findings := len(report.findings) + len(report.unmatched):
        exit_code.fail(f"{done}: {findings} findings", exit_code.POLICY_TESTS_FAILED)
    _note(f"{done}: none makes an answer weaker")


def _blocks(findings: Iterable["Found"]) -> "list[list[Found]]":
    """The findings of each rule and path, in the order of the first of each."""
    blocks: dict[tuple[str, str], list[Found]] = {}
    for found in findings:
        blocks.setdefault((found.path, found.loss.rule), []).append(found)
    return list(blocks.values())


def _shown(block: Sequence["Found"]) -> str:
    """The findings of one rule and path: each change, what it does and for whom, then the lines that accept them."""
    changes = [f"  {found.change}: {visible(found.loss.what)}\n    {_request(found)}" for found in block]
    lines = list(dict.fromkeys(map(_accepting, block)))
    return "\n".join((_head(block[0]), *changes, "  to accept:", *(f"    {line}" for line in lines)))


def _head(found: "Found") -> str:
    return f"{visible(found.path)} and the rule {visible(found.loss.rule)}:"


def _accepting(found: "Found") -> str:
    """The line of `data.policy_attack.accepted`, without a reason."""
    import json

    from pdp.policy.accepted import PLACEHOLDER

    line = {"rule": found.loss.rule, "path": found.path, "change": found.change, "reason": PLACEHOLDER}
    return json.dumps(line, ensure_ascii=False)


def _change(found: "Found") -> str:
    return f"{visible(found.path)}, {found.change}: {visible(found.loss.what)}"


def _request(found: "Found") -> str:
    members, question = found.question.members, found.question
    subject, resource = (typed(members[name]["type"], members[name]["id"]) for name in ("subject", "resource"))
    more = f", and {found.times - 1} more" if found.times > 1 else ""
    return f"{subject} {visible(members['action']['name'])} {resource}, of {question.where}{more}"


def _unmatched(line: "Accepted") -> str:
    from pdp.policy.accepted import PLACE

    return (
        f"{visible(line.path)}, {visible(line.change)}: no answer loses {visible(line.rule)} by it; take the line out "
        f"of {PLACE}"
    )


def _note(sentence: str) -> None:
    say(sentence)


def _progress(done: int, total: int) -> None:
    """Say on a terminal how far a long attack is."""
    if done and sys.stderr.isatty():
        _note(f"{done} of {total} requests")
