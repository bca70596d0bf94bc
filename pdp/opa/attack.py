"""Attacks a policy on this machine: which change of what a caller says makes an answer weaker?

    questions -> answers -> variants that a server takes -> their answers, in batches -> what is weaker, asked again

1. A builtin that fails on one variant would fail its whole batch. So a batch is asked in a way in which it is undefined
   there, and only what looks weaker is asked again as a server asks.
2. What a server would answer with an error is not weaker.
3. What the server itself puts into the context of an action is not the caller's word, so it is not changed.
4. Where a schema types a number, another number is not asked about: the schema's bounds are the author's word.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pdp.decision import Verdict, verdict
from pdp.errors import InvalidRequest, PolicyInvalid
from pdp.opa.asking import MOST_BYTES, Asking
from pdp.opa.queries import About
from pdp.opa.question import Question, heard
from pdp.opa.trial import answering
from pdp.policy.accepted import Accepted, accepted
from pdp.policy.attributes import Attributes
from pdp.policy.columns import columns
from pdp.policy.data import documents, merged
from pdp.policy.inference import Inference
from pdp.policy.module import Module, entry_of, modules
from pdp.policy.optional import Optional
from pdp.policy.overheard import overheard
from pdp.policy.schema import GIVEN, schemas
from pdp.policy.sources import Source, read
from pdp.policy.stock import capabilities
from pdp.policy.variants import ADDED, OTHER_TYPE, variants
from pdp.policy.weaker import Loss, answers_masks, less_masked, losses

_TOGETHER = 100
"""Questions that are attacked together."""


@dataclass
class Found:
    """A loss, the change that leads to it, the first question where it does, and how many there are."""

    loss: Loss
    path: str
    change: str
    question: Question
    is_vouched: bool
    times: int = 1


@dataclass
class Report:
    """What an attack found, beside what the author accepts, and how much it asked.

    `notes` are losses by a change of what a credential vouches for. `unmatched` are accepted lines that fit no loss.
    `unusable` are questions that no server would take or answer, with the reason.
    """

    findings: list[Found] = field(default_factory=list)
    notes: list[Found] = field(default_factory=list)
    unmatched: list[Accepted] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    questions: int = 0
    variants: int = 0


class _Changed(NamedTuple):
    """A question's variant, as OPA's input, beside the answer to the question itself."""

    question: Question
    before: Any
    path: str
    change: str
    is_vouched: bool
    input: bytes


class _Ask(Protocol):
    """Answers inputs in order. What has no answer, or one that no server takes, is None."""

    async def __call__(self, inputs: Sequence[bytes], *, as_a_server: bool) -> Sequence[Any]: ...


async def attacked(
    opa: Path,
    folders: Sequence[Path],
    given: Sequence[Question],
    *,
    person_types: frozenset[str],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """Attack the policy in `folders` with the questions of its tests and those that are `given`.

    Raises `SetupError` for a policy that a server would refuse, and for tests that do not compile.
    """
    sources = await asyncio.to_thread(read, folders)
    async with answering(opa, [source for source in sources if not source.is_test], lambda _: None) as connection:
        data = await asyncio.to_thread(_data, opa, sources)
        everything = await asyncio.to_thread(modules, opa, sources)
        lines, named, known = accepted(data, _rules(everything)), columns(everything, data), schemas(sources)
        told = await asyncio.to_thread(overheard, opa, sources)
        asked = [heard(one.test, one.input, person_types) for one in told]
        asked += given
        inference = Inference(everything, data, known, capabilities(opa)["builtins"])
        optional = Optional(known, inference, [question.members for question in asked])
        attack = _Attack(Asking(connection), Attributes(known), optional, person_types)
        questions = attack.usable([*asked, *_of_masks(asked, named)])
        for first in range(0, len(questions), _TOGETHER):
            progress(first, len(questions))
            await attack.on(questions[first : first + _TOGETHER])
    return attack.report(lines)


def _data(opa: Path, sources: Iterable[Source]) -> dict[str, Any]:
    return merged(documents(opa, sources)[0])[0]


def _rules(everything: Iterable[Module]) -> frozenset[str]:
    """The names of the policy's rules; none if one of them is known only after evaluation."""
    entries = [entry_of(rule) for module in everything if module.package == ("policy",) for rule in module.rules]
    names = [entry.get("rule") if isinstance(entry, dict) else None for entry in entries]
    texts = [name for name in names if isinstance(name, str)]
    return frozenset(texts if len(texts) == len(names) else ())


def _of_masks(questions: Iterable[Question], named: Sequence[Mapping[str, Any]]) -> Iterator[Question]:
    """The question about all columns that the policy names, for each request to mask: a server asks it first."""
    for question in questions:
        match question.members.get("action"):
            case {"name": "mask"} if not question.columns:
                yield replace(question, columns=named)


class _Attack:
    """One attack: what it has asked and found up to now."""

    def __init__(
        self, asking: Asking, attributes: Attributes, optional: Optional, person_types: frozenset[str]
    ) -> None:
        self._asking, self._attributes, self._person_types = asking, attributes, person_types
        self._optional = optional
        self._found: dict[tuple[str, ...], Found] = {}
        self._report = Report()

    def usable(self, questions: Iterable[Question]) -> list[Question]:
        """The questions that a server takes, each once; the others are in the report."""
        found: dict[bytes, Question] = {}
        for question in questions:
            try:
                whole = question.whole(self._attributes)
                found.setdefault(_digest(whole.posed(whole.members, self._attributes)), question)
            except InvalidRequest as error:
                self._report.unusable.append((question.where, error.sentence))
        return list(found.values())

    async def on(self, questions: Sequence[Question]) -> None:
        """Attack with each of these questions."""
        await self._attack([each for each in questions if not each.columns], self._decided)
        await self._attack([each for each in questions if each.columns], self._masked)

    async def _attack(self, questions: Sequence[Question], ask: _Ask) -> None:
        answered = await self._answered(questions, ask)
        changed = (each for question, before in answered for each in self._changed(question, before))
        for portion in _portions(changed):
            self._report.variants += len(portion)
            weak = [each for each, _ in await self._weak(portion, ask, as_a_server=False)]
            for each, found in await self._weak(weak, ask, as_a_server=True):
                self._keep(each, found)

    async def _answered(self, questions: Sequence[Question], ask: _Ask) -> list[tuple[Question, Any]]:
        """The questions that have an answer; the others are in the report."""
        whole = [question.whole(self._attributes) for question in questions]
        inputs = [question.posed(question.members, self._attributes) for question in whole]
        answers = list(zip(whole, await ask(inputs, as_a_server=True), strict=True))
        self._report.unusable += [(one.where, "the policy fails on it") for one, answer in answers if answer is None]
        answered = [(one, answer) for one, answer in answers if answer is not None]
        self._report.questions += len(answered)
        return answered

    async def _weak(
        self, changed: Sequence[_Changed], ask: _Ask, *, as_a_server: bool
    ) -> list[tuple[_Changed, list[Loss]]]:
        answers = await ask([each.input for each in changed], as_a_server=as_a_server)
        found = [(each, _losses(each, answer)) for each, answer in zip(changed, answers, strict=True)]
        return [(each, losses) for each, losses in found if losses]

    def report(self, lines: Sequence[Accepted]) -> Report:
        """The report, without the losses that `lines` accept."""
        taken = {(line.rule, line.path, line.change) for line in lines}
        for found in sorted(self._found.values(), key=lambda one: (one.path, one.change, one.loss)):
            if (found.loss.rule, found.path, found.change) not in taken:
                (self._report.notes if found.is_vouched else self._report.findings).append(found)
        matched = {key[:3] for key in self._found}
        self._report.unmatched = [line for line in lines if (line.rule, line.path, line.change) not in matched]
        return self._report

    async def _decided(self, inputs: Sequence[bytes], *, as_a_server: bool) -> list[Verdict | None]:
        answers = await self._asking.answers(About.DECISIONS, inputs, as_a_server=as_a_server)
        return [self._verdict(answer) for answer in answers]

    def _verdict(self, answer: Any) -> Verdict | None:
        try:
            return None if answer is None else verdict(answer, self._person_types)
        except PolicyInvalid:
            return None

    async def _masked(self, inputs: Sequence[bytes], *, as_a_server: bool) -> list[Any]:
        answers = await self._asking.answers(About.MASKS, inputs, as_a_server=as_a_server)
        return [answer if answers_masks(answer) else None for answer in answers]

    def _changed(self, question: Question, before: Any) -> Iterator[_Changed]:
        """The variants that a server takes, each once."""
        seen, typed = {_digest(question.posed(question.members, self._attributes))}, set()
        for variant in chain(variants(question.members), self._optional.variants(question.members)):
            if (variant.is_number and variant.path in typed) or _is_the_servers(question.members, variant.request):
                continue
            try:
                posed = question.posed(variant.request, self._attributes)
            except InvalidRequest:
                if variant.change == OTHER_TYPE:
                    typed.add(variant.path)
                continue
            if (digest := _digest(posed)) not in seen:
                seen.add(digest)
                yield _Changed(question, before, variant.path, variant.change, variant.is_vouched, posed)

    def _keep(self, changed: _Changed, found: Iterable[Loss]) -> None:
        for loss in found:
            key = (loss.rule, changed.path, changed.change, loss.what)
            if key in self._found:
                self._found[key].times += 1
            else:
                self._found[key] = Found(loss, changed.path, changed.change, changed.question, changed.is_vouched)


def _is_the_servers(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a variant changes what the server puts into the context of the action."""
    held, changed = before["context"], after.get("context")
    names = GIVEN.get(before["action"]["name"], {}).keys()
    if not isinstance(changed, dict):
        return bool(names & held.keys())
    return any(changed.get(name) is not held.get(name) for name in names)


def _losses(changed: _Changed, after: Any) -> list[Loss]:
    if after is None:
        return []
    if changed.question.columns:
        return less_masked(changed.before, after, changed.question.columns)
    return losses(changed.before, after, says_more=changed.change.startswith(ADDED))


def _portions(changed: Iterable[_Changed]) -> Iterator[list[_Changed]]:
    """Variants in portions of about `MOST_BYTES`: a long list in one request has gigabytes of them."""
    portion: list[_Changed] = []
    size = 0
    for each in changed:
        portion.append(each)
        size += len(each.input)
        if size >= MOST_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _digest(posed: bytes) -> bytes:
    return hashlib.sha256(posed).digest()
