"""Rules and a schema become a plan: every refusal happens here, before the first row.

A plan says for each leaf column which mask runs and what comes out. It holds no keys,
and it can be written as JSON and read back, which makes every check again.
"""

import base64
import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from masker import fit
from masker import spec as specs
from masker.arrow import schema as arrow
from masker.errors import PlanRefused
from masker.path import ITEM, Path, render
from masker.spec import KEEP, Spec, SpecRefused

DIRECTIONS = ("mask", "unmask", "rewrap")

_WHOLE = ("nullify", "clear")  # may name a nested column and mean all below it
_RULE_KEYS = {"column", "rule", "reason"}


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One leaf column: `key_version` is what masked it, or 0 where no key is involved."""

    path: Path
    rule: str
    spec: Spec  # KEEP passes through, as in unmask and rewrap
    input: Any
    output: Any
    key_version: int = 0

    @property
    def column(self) -> str:
        """The path in writing."""
        return render(self.path)


@dataclasses.dataclass(frozen=True)
class MaskPlan:
    """For one table and one subject: column -> mask, with the whole output schema.

    `expires_at` is in seconds since 1970, or None. `key_version` masks; 0 where no key is involved.
    """

    table: str
    subject: str
    policy_revision: str
    expires_at: float | None
    direction: str
    key_version: int
    input_schema: Any
    output_schema: Any
    leaves: tuple[Leaf, ...]
    source: str = dataclasses.field(repr=False)

    def to_json(self) -> str:
        """Write the plan for `from_json`; `columns` is for people."""
        return json.dumps(json.loads(self.source) | {"columns": self.summary()}, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> "MaskPlan":
        """Read a plan, with every check made again."""
        try:
            document = json.loads(text)
            document.pop("columns", None)
            schema = arrow.from_bytes(base64.b64decode(document.pop("schema")))
            masks, domains = document.pop("masks"), document.pop("domains")
        except (ValueError, KeyError, AttributeError, TypeError):
            document = None
        if document is None or document.pop("format", None) != 1:
            raise PlanRefused("this is no mask plan of format 1")
        return plan(schema, masks, domains, **document)

    def summary(self) -> list[dict[str, Any]]:
        """Return a row for each leaf: column, rule, mask, domain, key_version, input, output."""
        rows = []
        for leaf in self.leaves:
            mask, domain = leaf.spec.mask, leaf.spec.domain
            rows.append(
                {
                    "column": leaf.column,
                    "rule": leaf.rule,
                    "mask": mask,
                    "domain": domain,
                    "key_version": leaf.key_version,
                }
                | {"input": str(leaf.input), "output": str(leaf.output)}
            )
        return rows


def plan(
    schema: Any,
    masks: Iterable[Mapping[str, Any]],
    domains: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    key_version: int = 0,
    masked_version: int = 0,
    table: str = "",
    subject: str = "",
    policy_revision: str = "",
    expires_at: float | None = None,
    direction: str = "mask",
) -> MaskPlan:
    """Compile the masks a policy selected for the columns of an Arrow schema.

    A mask is {column, rule, domain | mask, parameters}. Raises PlanRefused, naming column
    and rule. In direction `unmask` and `rewrap` the schema is that of the masked table and
    what no reversible mask covers passes through. `key_version` masks, or is moved to;
    `masked_version` is that of `fpe` columns whose field metadata names none.
    """
    rules = [dict(mask) for mask in masks]
    declared = dict(domains or {})
    if direction not in DIRECTIONS:
        raise PlanRefused(f"direction is one of {', '.join(DIRECTIONS)}")
    options = {
        "key_version": key_version,
        "masked_version": masked_version,
        "table": table,
        "subject": subject,
    }
    options |= {"policy_revision": policy_revision, "expires_at": expires_at, "direction": direction}
    compiler = _Compiler(schema, _assigned(schema, rules, declared), options)
    fields = [compiler.field((field.name,), field) for field in schema]
    compiler.check_entities()
    if direction != "mask" and not any(leaf.spec != KEEP for leaf in compiler.leaves):
        raise PlanRefused("no column has a mask that can be reversed")
    document = {
        "format": 1,
        "schema": base64.b64encode(arrow.to_bytes(schema)).decode(),
        "masks": rules,
        "domains": declared,
    }
    return MaskPlan(
        table=table,
        subject=subject,
        policy_revision=policy_revision,
        expires_at=expires_at,
        direction=direction,
        key_version=key_version,
        input_schema=schema,
        output_schema=arrow.schema_with(schema, fields),
        leaves=tuple(compiler.leaves),
        source=json.dumps(document | options, ensure_ascii=False),
    )


def _assigned(
    schema: Any, masks: list[dict[str, Any]], domains: Mapping[str, Any]
) -> dict[Path, tuple[str, Spec]]:
    """Return path -> (rules, spec); one column, one mask."""
    repeated = arrow.duplicates(schema)
    if repeated:
        raise PlanRefused("two columns have the same name", column=repeated[0])
    known = {render(path): path for path, _ in arrow.walk(schema)}
    aliases = {field.name: (field.name,) for field in schema if field.name not in known}
    assigned: dict[Path, tuple[str, Spec]] = {}
    for mask in masks:
        column, rule = str(mask.get("column", "")), str(mask.get("rule", ""))
        path = known.get(column) or aliases.get(column)
        if path is None:
            raise PlanRefused("the table has no such column", column=column, rule=rule)
        compiled = _spec(mask, domains, column, rule)
        before = assigned.get(path)
        if before and before[1] != compiled:
            raise PlanRefused(
                "the column has two different masks", column=column, rule=f"{before[0]}, {rule}"
            )
        rules = f"{before[0]}, {rule}" if before and rule not in before[0].split(", ") else rule
        assigned[path] = (rules, compiled)
    return assigned


def _spec(mask: Mapping[str, Any], domains: Mapping[str, Any], column: str, rule: str) -> Spec:
    problem = ""
    try:
        return specs.rule_spec({key: value for key, value in mask.items() if key not in _RULE_KEYS}, domains)
    except SpecRefused as refused:
        problem = str(refused)
    raise PlanRefused(problem, column=column, rule=rule)


class _Compiler:
    """Walks the schema once and collects the leaves."""

    def __init__(
        self, schema: Any, assigned: dict[Path, tuple[str, Spec]], options: Mapping[str, Any]
    ) -> None:
        self.schema, self.assigned, self.revision = schema, assigned, options["policy_revision"]
        self.key_version: int = options["key_version"]
        self.masked_version: int = options["masked_version"]
        self.direction = options["direction"]
        self.leaves: list[Leaf] = []

    def field(self, path: Path, field: Any, above: tuple[str, Spec] | None = None) -> Any:
        """Return the output field; `above` is what a nested column around it was given."""
        own = self.assigned.get(path)
        if own and above and own[1] != above[1]:
            raise PlanRefused(
                "the column has two different masks", column=render(path), rule=f"{above[0]}, {own[0]}"
            )
        chosen = own or above
        if arrow.kind(field.type) not in arrow.NESTED:
            return self._leaf(path, field, chosen)
        if own and own[1].mask not in _WHOLE:
            advice = "; name the columns below it" if arrow.kind(field.type) != "map" else ""
            raise PlanRefused(
                f"mask {own[1].mask} does not take {field.type}{advice}", column=render(path), rule=own[0]
            )
        fields = [self.field((*path, *steps), child, chosen) for steps, child in arrow.children(field.type)]
        return arrow.field_with(field, arrow.rebuilt_type(field.type, fields), nullable=False, facts={})

    def check_entities(self) -> None:
        """An entity is a column of ids outside lists."""
        kinds = {render(path): (arrow.kind(field.type), path) for path, field in arrow.walk(self.schema)}
        for leaf in self.leaves:
            if leaf.spec.mask == "date_shift":
                kind, path = kinds.get(leaf.spec["entity"], ("", ()))
                if kind not in fit.IDS or ITEM in path:
                    raise PlanRefused(
                        "the entity is no column of ids outside lists", column=leaf.column, rule=leaf.rule
                    )

    def _leaf(self, path: Path, field: Any, chosen: tuple[str, Spec] | None) -> Any:
        if self.direction != "mask":
            return self._reversed(path, field, chosen)
        if chosen is None:
            raise PlanRefused("no rule covers the column", column=render(path))
        rule, spec = chosen
        output = self._output(path, field, rule, spec)
        version = self._version(path, rule, spec)
        self.leaves.append(Leaf(path, rule, spec, field.type, output, version))
        return arrow.field_with(
            field, output, nullable=spec.nulls, facts=self._facts(spec, version, arrow.type_name(field.type))
        )

    def _output(self, path: Path, field: Any, rule: str, spec: Spec) -> Any:
        """The one place that says which type comes out."""
        kind = arrow.kind(field.type)
        shape = fit.OUTPUT[fit.row(spec)].get(kind)
        if kind == "null":
            return field.type
        if shape is None:
            raise PlanRefused(
                f"mask {fit.row(spec)} does not take {field.type}{fit.ADVICE.get((spec.mask, kind), '')}",
                column=render(path),
                rule=rule,
            )
        problem = fit.problem(spec, kind, field.type)
        if problem:
            raise PlanRefused(problem, column=render(path), rule=rule)
        return {"same": arrow.same_type, "text": arrow.text_type, "number": arrow.number_type}[shape](
            field.type
        )

    def _reversed(self, path: Path, field: Any, chosen: tuple[str, Spec] | None) -> Any:
        """Reversible masks are reversed, all else passes through with its metadata."""
        known = arrow.facts(field)
        if chosen is None or chosen[1].mask not in specs.REVERSIBLE:
            self.leaves.append(
                Leaf(path, chosen[0] if chosen else "", KEEP, field.type, arrow.same_type(field.type))
            )
            return arrow.field_with(field, arrow.same_type(field.type), nullable=False, facts=known)
        rule, spec = chosen
        if arrow.kind(field.type) != "text":
            raise PlanRefused(f"{field.type} holds nothing masked", column=render(path), rule=rule)
        if known.get("domain", spec.domain) != spec.domain or known.get("mask", spec.mask) != spec.mask:
            raise PlanRefused(
                "the column was masked under another mask or domain", column=render(path), rule=rule
            )
        version = self._masked_version(path, rule, spec, known)
        rewrap = self.direction == "rewrap"
        output = (
            arrow.same_type(field.type)
            if rewrap
            else arrow.original_type(field.type, known.get("input_type"))
        )
        if output is None or arrow.kind(output) not in fit.OUTPUT[spec.mask]:
            raise PlanRefused(
                "the metadata names no type that this mask takes", column=render(path), rule=rule
            )
        self.leaves.append(Leaf(path, rule, spec, field.type, output, version))
        moved = self._facts(spec, self.key_version, known.get("input_type", ""))
        opened = {"unverified": "true"} if _holds_fpe(spec) else {}
        return arrow.field_with(field, output, nullable=False, facts=known | moved if rewrap else opened)

    def _masked_version(self, path: Path, rule: str, spec: Spec, known: Mapping[str, str]) -> int:
        """The version of an `fpe` column, which nothing in its values tells; tokens tell theirs."""
        if self.direction == "rewrap" and self.key_version < 1:
            raise PlanRefused("rewrap needs the key version to move to", column=render(path), rule=rule)
        if not _holds_fpe(spec):
            return 0
        named = known.get("key_version", "")
        version = int(named) if named.isdecimal() else self.masked_version
        if version < 1:
            raise PlanRefused("fpe needs the key version that masked it", column=render(path), rule=rule)
        if self.masked_version not in {0, version}:
            raise PlanRefused(
                "the column was masked under another key version", column=render(path), rule=rule
            )
        return version

    def _version(self, path: Path, rule: str, spec: Spec) -> int:
        if not keyed(spec):
            return 0
        if self.key_version < 1:
            raise PlanRefused(f"mask {spec.mask} needs a key version", column=render(path), rule=rule)
        return self.key_version

    def _facts(self, spec: Spec, version: int, input_type: str) -> dict[str, str]:
        facts = {
            "mask": spec.mask,
            "domain": spec.domain,
            "input_type": input_type,
            "policy_revision": self.revision,
        }
        facts["key_version"] = str(version) if version else ""
        if spec.mask == "json":
            facts["paths"] = json.dumps(
                {path: {"mask": child.mask, "domain": child.domain} for path, _, child in spec.children}
            )
        return {name: value for name, value in facts.items() if value}


def keyed(spec: Spec) -> bool:
    """Tell whether a mask, or one below it, needs a key."""
    return bool(spec.domain) or any(keyed(child) for _, _, child in spec.children)


def _holds_fpe(spec: Spec) -> bool:
    return spec.mask == "fpe" or any(_holds_fpe(child) for _, _, child in spec.children)
