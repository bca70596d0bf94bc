"""Checks everything that an author's files must satisfy before they may decide."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pdp.errors import SetupError
from pdp.policy import clear, masks, people, strangers
from pdp.policy.asked import for_opa, request
from pdp.policy.attributes import Attributes
from pdp.policy.candidates import undeclared
from pdp.policy.chosen import chosen
from pdp.policy.compiled import refused, unformatted
from pdp.policy.data import documents, merged, misplaced, misspelt
from pdp.policy.deceit import names, texts
from pdp.policy.encoding import mark
from pdp.policy.enough import enough
from pdp.policy.finding import Finding
from pdp.policy.identities import mistaken
from pdp.policy.idle import unread_rules
from pdp.policy.in_force import not_loaded, twice, undecided
from pdp.policy.listed import doubled, unlike_sent
from pdp.policy.misnamed import misnamed
from pdp.policy.module import Module, inspect, modules
from pdp.policy.named import groups, masked
from pdp.policy.never import never_equal, never_in
from pdp.policy.patterns import half_anchored, unanchored
from pdp.policy.permits import permits
from pdp.policy.reference import definitions, unknown_data
from pdp.policy.schema import Schema, Schemas, parsed
from pdp.policy.shared import by_table
from pdp.policy.slips import slips
from pdp.policy.sources import CORE, Source, read, staged, without_rules
from pdp.policy.stated import always_true
from pdp.policy.stock import capabilities
from pdp.policy.total import Totality
from pdp.policy.unlisted import annotated, replaced, unlisted
from pdp.policy.unread import members, missing, unread
from pdp.policy.untyped import Typing
from pdp.policy.vocabulary import misshapen
from pdp.policy.whole import part_of
from pdp.policy.zone import local, local_data
from pdp.uncollected import uncollected


def findings_in(
    opa: Path,
    folders: Sequence[Path],
    *,
    full: bool = True,
    in_force: Mapping[str, Any] | None = None,
    types: Collection[str] = (),
) -> list[Finding]:
    """Every finding in `folders`, in the order of files and lines. A policy without findings may be loaded.

    `full` also checks tests and formatting, which do not matter to a server that loads the policy. `in_force` are the
    domains that must not change, `types` those of the identities that the configuration knows.
    """
    if full:
        return checked(opa, folders, in_force or {}, types)[0]
    return examine(opa, [source for source in read(folders) if not source.is_test], in_force or {}, types).findings


@uncollected()
def checked(
    opa: Path, folders: Sequence[Path], in_force: Mapping[str, Any], types: Collection[str] = ()
) -> tuple[list[Finding], list[str]]:
    """Every finding in `folders`, and sentences of what loads but may surprise, with numbers."""
    sources = read(folders)
    found = examine(opa, sources, in_force, types, full=True)
    if not found.findings and (sentence := without_rules(sources)):
        raise SetupError(sentence)
    if found.findings and (sentence := part_of(folders, found.modules, found.data)):
        raise SetupError(sentence)
    return sorted({*found.findings, *found.unformatted}), warnings(found)


def domains(opa: Path, sources: Sequence[Source]) -> dict[str, Any]:
    """The domains that the data in `sources` declares, as `findings_in(in_force=…)` takes them."""
    found, _ = documents(opa, sources)
    declared = merged(found)[0].get("domains", {})
    return declared if isinstance(declared, dict) else {}


UNREADABLE = {"bad-data", "encoding"}
"""Findings of data that could not be read. What else a check would say of it only follows from that."""


class Examined(NamedTuple):
    """What a check found and read: each data file with its document, the maps of people, all modules.

    `doubts` do not stop a load, nor do `unformatted` files. `types` are those of identities that the configuration
    knows.
    """

    findings: list[Finding]
    doubts: Sequence[Finding]
    documents: list[tuple[Source, Any]]
    data: Mapping[str, Any]
    people: Mapping[str, Any]
    modules: Sequence[Module]
    types: Collection[str]
    unformatted: Sequence[Finding]


def warnings(found: Examined) -> list[str]:
    """Sentences of what loads but may surprise, with numbers."""
    if any(finding.rule in UNREADABLE for finding in found.findings):
        return []
    guessable = [fault for source, document in found.documents for fault in masks.guessable(source, document)]
    doubts = [*sorted({*found.doubts, *guessable}), *sorted(by_table(found.modules, found.data))]
    general = [*map(str, doubts), *groups(found.modules, found.data)]
    if not found.people:
        return general
    strange = strangers.unknown(found.data, found.types)[1]
    return [*general, *strange, *people.warnings(found.people, found.modules)]


@uncollected()
def examine(
    opa: Path,
    sources: Sequence[Source],
    in_force: Mapping[str, Any] = MappingProxyType({}),
    types: Collection[str] = (),
    *,
    full: bool = False,
) -> Examined:
    """Check `sources` as `findings_in` does; their formatting only if it is to be `full`."""
    everything = modules(opa, sources)
    schemas, findings = parsed(sources)
    read_documents, data, made, faults = _data(opa, sources, everything, in_force, types)
    known = None if any(fault.rule in UNREADABLE for fault in faults) else data
    parsed_files = {module.source for module in everything}
    unparsed = [source for source in sources if source.is_rego and source not in parsed_files]
    findings += [fault for fault in map(mark, unparsed) if fault]
    findings += [*faults, *_stray(sources), *names(sources, read_documents)]
    if not any(fault.rule == "bad-schema" for fault in findings):
        findings += _searches(schemas, read_documents)
    if not faults and not unparsed and not without_rules(sources):
        findings += unread(read_documents, everything)
    doubts, shape, promised = list[Finding](), for_opa(request(schemas)), {}
    if known is not None:
        typing = Typing(everything, known, schemas, capabilities(opa)["builtins"])
        findings += [*_of_attributes(typing), *misnamed(typing, sources), *permits(typing)]
        doubts = sorted({*typing.warned(), *unread_rules(typing, everything), *_surprises(typing)})
        shape, promised = typing.inference.request(), typing.inference.promised()
    findings += _syntax(everything, known, promised)
    rego = [source for source in sources if source.is_rego]
    with staged(rego) as folder:
        findings += [each for each in refused(opa, everything, rego, shape, folder) if not _is_repeated(each, findings)]
        shaped = [*unformatted(opa, rego, folder)] if full else []
    return Examined(sorted({*findings}), doubts, read_documents, data, made, everything, types, shaped)


def _searches(schemas: Schemas, documents: Sequence[tuple[Source, Any]]) -> Iterator[Finding]:
    """The faults of what is declared for searches; the schemas are compiled only where something is."""
    declaring = [(source, document) for source, document in documents if "search" in document]
    if declaring:
        attributes = Attributes(schemas)
        for source, document in declaring:
            yield from undeclared(source, document, attributes)


def _of_attributes(typing: Typing) -> Iterator[Finding]:
    """What rules do with attributes. If no schema lists one, nothing else is reported of it."""
    others = [*typing.refused(), *never_in(typing), *never_equal(typing), *replaced(typing)]
    others += [*half_anchored(typing), *mistaken(typing), *unlike_sent(typing), *chosen(typing)]
    lost = list(unlisted(typing))
    places = {(finding.file, finding.line) for finding in lost}
    yield from lost
    others += [*slips(typing), *always_true(typing)]
    yield from (finding for finding in others if (finding.file, finding.line) not in places)


def _surprises(typing: Typing) -> Iterator[Finding]:
    """What rules ask that may be right, and often is not."""
    yield from (*unanchored(typing), *enough(typing), *doubled(typing))


def _is_repeated(reported: Finding, findings: Sequence[Finding]) -> bool:
    """Whether OPA reports a fault that is found already. Its words help the author less than ours."""
    if reported.sentence.startswith("conflicting rules"):
        return bool(findings)
    if " is recursive: " in reported.sentence and any(finding.rule == "chosen-data" for finding in findings):
        return True
    return any(
        reported.file == finding.file
        and (reported.line == finding.line or finding.rule in {"reserved-package", "encoding"})
        for finding in findings
    )


def _syntax(
    everything: Sequence[Module], data: Mapping[str, Any] | None, promised: Mapping[int, Schema]
) -> Iterator[Finding]:
    """The faults that the syntax shows. Without data, which cannot be read, none is looked for that would follow."""
    rules = definitions(everything)
    total = Totality(rules, data or {}, promised)
    if data is not None:
        yield from clear.beside(rules, data)
    for module in everything:
        if module.source.label == CORE:
            continue
        yield from inspect(module)
        if module.source.is_test:
            yield from not_loaded(module, rules)
        else:
            yield from annotated(module)
            yield from undecided(module)
            yield from twice(module)
            yield from local(module)
            yield from texts(module)
            if data is not None:
                yield from unknown_data(module, rules, data)
                yield from missing(module, rules, data)
                yield from members(module, data)
                yield from total.findings(module)
                yield from masks.entries(module, data)
                yield from masked(module, data)


def _data(
    opa: Path,
    sources: Iterable[Source],
    everything: Sequence[Module],
    in_force: Mapping[str, Any],
    types: Collection[str],
) -> tuple[list[tuple[Source, Any]], dict[str, Any], dict[str, Any], list[Finding]]:
    owned = {module.package for module in everything if not module.source.is_test}
    found, findings = documents(opa, sources)
    whole, conflicts = merged(found)
    faults = [fault for source, document in found for fault in misspelt(source, document)]
    made, unfit = ({}, faults) if faults else people.maps(found, whole, types)
    for source, document in found:
        findings += misplaced(source, document, owned)
        findings += [*masks.declarations(source, document), *masks.changed(source, document, in_force)]
        findings += [*misshapen(source, document), *local_data(source, document)]
    return found, whole, made, [*findings, *unfit, *conflicts]


def _stray(sources: Iterable[Source]) -> Iterator[Finding]:
    for source in sources:
        if not (source.is_rego or source.is_data or source.is_schema):
            sentence = source.refused or "bundles carry data only in data.json and data.yaml; rename it, or move it"
            yield Finding(source.shown, 0, "stray-file", sentence)
