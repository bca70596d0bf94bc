"""The masks that the policy selected -> the masker's plan, and what a plan says of itself."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import masker
from masker import methods
from masker.leaf import Leaf
from masker.records import COLUMN
from masker.spec import KEEP, Spec
from pdp.arrow import table
from pdp.errors import MaskPlanRefused
from pdp.masking.question import Column, Selection
from pdp.masking.refusals import refusals, shortened
from pdp.masking.rows import Shape
from pdp.v1.mask_pb2 import MaskedColumn

PLAN_SECONDS = 3600.0
"""How long a plan that was handed out may be used: one hour, so that a changed policy comes into force within it."""


def compiled(
    shape: Shape,
    selected: Selection,
    keys: masker.Keyring,
    *,
    direction: str,
    table_name: str,
    subject: str,
    masked_version: int = 0,
    only: Sequence[str] = (),
    key_version: int = 0,
    seconds: float = PLAN_SECONDS,
) -> masker.MaskPlan:
    """Compile the policy's masks for this shape; `only` leaves all but these columns alone.

    `key_version` masks, or the active one where it is 0. The plan ends after `seconds`.

    Raises `MaskPlanRefused` and `KeyRefused`.
    """
    wanted = {shape.path_of(name) for name in only}
    masks = [dict(mask) for mask in selected.masks if not only or mask["column"] in wanted]
    if missing := sorted(wanted - {mask["column"] for mask in masks}):
        column = shortened(missing[0])
        raise MaskPlanRefused(f"the policy has no mask for column {column}", column=column)
    options: dict[str, Any] = {
        "key_version": key_version or keys.active,
        "masked_version": masked_version,
        "table": table_name,
        "subject": subject,
        "policy_revision": selected.revision,
        "expires_at": time.time() + seconds,
        "direction": direction,
    }
    with refusals():
        if shape.paths is not None:
            return masker.plan_records(masks, dict(selected.domains), **options)
        return masker.plan(shape.schema, masks, selected.domains, **options)


def columns(made: masker.MaskPlan) -> Iterator[MaskedColumn]:
    """What is done to each column; of JSON records to each path."""
    for leaf in made.leaves:
        if leaf.spec.mask == "json" and leaf.column == COLUMN:
            for path, rule, spec in leaf.spec.children:
                done = _applied(spec, made.direction)
                version = made.key_version if done.domain and made.direction != "unmask" else 0
                yield MaskedColumn(column=path, rule=rule, mask=done.mask, domain=done.domain, key_version=version)
        else:
            yield MaskedColumn(
                column=leaf.column,
                rule=leaf.rule,
                mask=KEEP.mask if leaf.spec == KEEP else leaf.spec.mask,
                domain=domain(leaf.spec),
                key_version=leaf.key_version,
                input_type=str(leaf.input),
                output_type=str(leaf.output),
            )


def masks(made: masker.MaskPlan, columns: Sequence[Column]) -> dict[str, list[str]]:
    """Each column, as people write it, with the names of its masks: of one with JSON in it those of its paths."""
    written = {column.name: column.also or (column.name,) for column in columns}
    done = [pair for leaf in made.leaves for pair in _done(leaf, made.direction)]
    return {name: some for column, some in done for name in written.get(column, (column,))}


def _done(leaf: Leaf, direction: str) -> Iterator[tuple[str, list[str]]]:
    if leaf.spec.mask != "json":
        yield leaf.column, [leaf.spec.mask]
        return
    below = {path: _applied(spec, direction).mask for path, _, spec in leaf.spec.children}
    if leaf.column == COLUMN:
        yield from ((path, [mask]) for path, mask in below.items())
    else:
        yield leaf.column, sorted({*below.values()})


def _applied(spec: Spec, direction: str) -> Spec:
    """What is done to a leaf of JSON: where masks are undone or moved, nothing to those that cannot be."""
    return spec if direction == "mask" or methods.of(spec).reversible else KEEP


def facts(made: masker.MaskPlan) -> list[dict[str, Any]]:
    """A plan as the log keeps it: what was done to which column by which rule."""
    return [
        {"column": each.column, "rule": each.rule, "mask": each.mask, "domain": each.domain, "key": each.key_version}
        for each in columns(made)
    ]


def about(made: masker.MaskPlan) -> dict[str, Any]:
    """What a record says of a plan: what is done to each column, and which table it is for."""
    return {"columns": facts(made), "schema_sha256": table.schema_digest(made.input_schema)}


def rules(made: masker.MaskPlan) -> list[str]:
    """The ids of all rules of a plan."""
    return sorted({rule for each in columns(made) for rule in each.rule.split(", ") if rule})


def stored(made: masker.MaskPlan) -> str:
    """The plan as text that `masker.MaskPlan.from_json` reads, without the domains that it does not use."""
    return json.dumps(json.loads(made.source) | {"domains": used_domains(made)}, ensure_ascii=False)


def difference(before: masker.MaskPlan, now: masker.MaskPlan) -> str:
    """What a newer plan does otherwise, in a sentence; only for plans with different hashes."""
    old, new = ({each["column"]: each for each in facts(one)} for one in (before, now))
    for column in [*old, *new]:
        if old.get(column) != new.get(column):
            was, is_now = _told(old.get(column)), _told(new.get(column))
            return f"column {shortened(column)} is masked by {was} in this job, and now by {is_now}"
    return "a mask or a domain has other parameters now"


def _told(fact: dict[str, Any] | None) -> str:
    if fact is None:
        return "nothing"
    of = f" of domain {fact['domain']}" if fact["domain"] else ""
    version = f", key version {fact['key']}" if fact["key"] else ""
    return f"{fact['mask']}{of}{version} (rule {fact['rule']})"


def used_domains(made: masker.MaskPlan) -> dict[str, Any]:
    """The declarations of the domains that a plan uses."""
    names = {name for leaf in made.leaves for name in domain_names(leaf.spec)}
    declared = json.loads(made.source)["domains"]
    return {name: declared[name] for name in sorted(names)}


def domain_names(spec: Spec) -> set[str]:
    """The domain of a mask and those of the masks below it."""
    return {spec.domain} - {""} | {name for _, _, child in spec.children for name in domain_names(child)}


def sealing(spec: Spec) -> set[str]:
    """The domains with whose keys a value is masked: of an address by halves those of the halves, else its own."""
    return {name for _, _, child in spec.children for name in sealing(child)} or domain_names(spec)


def reversed_columns(made: masker.MaskPlan) -> dict[str, str]:
    """Every column that a plan reverses, with its domain."""
    return {column: domain(spec) for column, spec in specs(made) if methods.of(spec).reversible}


def domain(spec: Spec) -> str:
    """The domain of a mask; of JSON documents those of all their paths."""
    return spec.domain or ", ".join(sorted({child.domain for _, _, child in spec.children} - {""}))


def specs(made: masker.MaskPlan) -> Iterator[tuple[str, Spec]]:
    """Every column with its mask; of JSON records every path."""
    for leaf in made.leaves:
        if leaf.spec.mask == "json" and leaf.column == COLUMN:
            yield from ((path, spec) for path, _, spec in leaf.spec.children)
        else:
            yield leaf.column, leaf.spec
