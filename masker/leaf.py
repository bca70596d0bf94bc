"""The walk over a schema that finds its leaf columns and refuses what their rules do not fit."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from masker import fit, methods, zone
from masker.arrow import schema
from masker.errors import PlanRefused
from masker.path import ITEM, Path, render
from masker.spec import KEEP, Spec


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One leaf column with its mask and its types.

    `key_version` masks; to unmask, it is the version that masked. 0 where no key is involved, and for tokens, which
    tell their version themselves.
    """

    path: Path
    rule: str
    spec: Spec
    input: Any
    output: Any
    key_version: int = 0

    @property
    def column(self) -> str:
        """The path in writing."""
        return render(self.path)


class Leaves:
    """Walks the schema once and collects the leaves."""

    def __init__(self, input_schema: Any, assigned: dict[Path, tuple[str, Spec]], options: Mapping[str, Any]) -> None:
        self.schema, self.assigned, self.revision = input_schema, assigned, options["policy_revision"]
        self.key_version: int = options["key_version"]
        self.masked_version: int = options["masked_version"]
        self.direction = options["direction"]
        self.found: list[Leaf] = []

    def field(self, path: Path, field: Any, above: tuple[str, Spec] | None = None) -> Any:
        """Return the output field; `above` is the mask of a nested column around it."""
        own = self.assigned.get(path)
        if own and above and own[1] != above[1]:
            raise PlanRefused("the column has two different masks", column=render(path), rule=f"{above[0]}, {own[0]}")
        chosen = own or above
        if schema.kind(field.type) not in schema.NESTED:
            return self._leaf(path, field, chosen)
        if own and not methods.of(own[1]).is_whole:
            advice = "; name the columns below it" if schema.kind(field.type) != "map" else ""
            raise PlanRefused(
                f"mask {own[1].mask} does not take {field.type}{advice}", column=render(path), rule=own[0]
            )
        fields = [self.field((*path, *steps), child, chosen) for steps, child in schema.children(field.type)]
        if schema.kind(field.type) == "map" and fields[0].nullable:
            where, rule = render((*path, ITEM, "key")), chosen[0] if chosen else ""
            raise PlanRefused("the keys of a map cannot become null; mask the values below it", column=where, rule=rule)
        is_clear = chosen[1].mask == "clear" if chosen else self.direction != "mask"
        rebuilt = schema.rebuilt_type(field.type, fields)
        return schema.field_with(field, rebuilt, nullable=False, facts={}, is_clear=is_clear)

    def check_entities(self) -> None:
        """Refuse a date shift whose entity is not a column of ids outside lists."""
        kinds = {render(path): (schema.kind(field.type), path) for path, field in schema.walk(self.schema)}
        for leaf in self.found:
            if leaf.spec.get("entity") is not None:
                kind, path = kinds.get(leaf.spec["entity"], ("", ()))
                if kind not in methods.IDS or ITEM in path:
                    raise PlanRefused(
                        "the entity is not a column of ids outside lists", column=leaf.column, rule=leaf.rule
                    )

    def _leaf(self, path: Path, field: Any, chosen: tuple[str, Spec] | None) -> Any:
        if not zone.is_name(schema.zone_name(field.type) or "UTC"):
            raise PlanRefused("its type has a time zone that is neither one of IANA's nor +hh:mm", column=render(path))
        if self.direction != "mask":
            return self._reversed(path, field, chosen)
        if chosen is None:
            raise PlanRefused("no rule covers the column", column=render(path))
        rule, spec = chosen
        output = self._output(path, field, rule, spec)
        version = self._version(path, rule, spec)
        self.found.append(Leaf(path, rule, spec, field.type, output, version))
        facts = self._facts(spec, version, schema.type_name(field.type))
        return schema.field_with(field, output, nullable=fit.may_null(spec), facts=facts, is_clear=spec.mask == "clear")

    def _output(self, path: Path, field: Any, rule: str, spec: Spec) -> Any:
        """The one place that says which type comes out."""
        kind = schema.kind(field.type)
        shape = methods.of(spec).outputs.get(kind)
        if kind == "null":
            return field.type
        if shape is None:
            raise PlanRefused(
                f"mask {spec.method} does not take {field.type}{fit.ADVICE.get((spec.mask, kind), '')}",
                column=render(path),
                rule=rule,
            )
        problem = fit.problem(spec, kind, field.type)
        if problem:
            raise PlanRefused(problem, column=render(path), rule=rule)
        return {"same": schema.same_type, "text": schema.text_type, "number": schema.number_type}[shape](field.type)

    def _reversed(self, path: Path, field: Any, chosen: tuple[str, Spec] | None) -> Any:
        """Plan to reverse a reversible mask; every other column passes through with its metadata."""
        known = schema.facts(field)
        if schema.kind(field.type) == "other":
            raise PlanRefused(f"no column of {field.type} can be read", column=render(path))
        if chosen is None or not methods.of(chosen[1]).reversible:
            self.found.append(Leaf(path, chosen[0] if chosen else "", KEEP, field.type, schema.same_type(field.type)))
            return schema.field_with(field, schema.same_type(field.type), nullable=False, facts=known, is_clear=True)
        rule, spec = chosen
        if schema.kind(field.type) != "text":
            raise PlanRefused(f"a column of {field.type} does not hold masked values", column=render(path), rule=rule)
        if known.get("domain", spec.domain) != spec.domain or known.get("mask", spec.mask) != spec.mask:
            raise PlanRefused("the column was masked under another mask or domain", column=render(path), rule=rule)
        version = self._masked_version(path, rule, spec, known)
        rewrap = self.direction == "rewrap"
        output = schema.same_type(field.type) if rewrap else schema.original_type(field.type, known.get("input_type"))
        if output is None or schema.kind(output) not in methods.of(spec).outputs:
            raise PlanRefused("the metadata names a type that this mask does not take", column=render(path), rule=rule)
        self.found.append(Leaf(path, rule, spec, field.type, output, version))
        moved = self._facts(spec, self.key_version, known.get("input_type", ""))
        opened = {"unverified": "true"} if fit.is_unverified(spec) else {}
        return schema.field_with(field, output, nullable=False, facts=known | moved if rewrap else opened)

    def _masked_version(self, path: Path, rule: str, spec: Spec, known: Mapping[str, str]) -> int:
        """Return the version that masked an `fpe` column, as its values do not tell it; 0 for tokens, which do."""
        if self.direction == "rewrap" and self.key_version < 1:
            raise PlanRefused("rewrap needs the key version to move to", column=render(path), rule=rule)
        if not fit.is_unverified(spec):
            return 0
        named = known.get("key_version", "")
        version = int(named) if named.isdecimal() else self.masked_version
        if version < 1:
            raise PlanRefused("fpe needs the key version that masked the column", column=render(path), rule=rule)
        if self.masked_version not in {0, version}:
            raise PlanRefused("the column was masked under another key version", column=render(path), rule=rule)
        return version

    def _version(self, path: Path, rule: str, spec: Spec) -> int:
        if not fit.is_keyed(spec):
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
        if methods.of(spec).takes is methods.Takes.DOCUMENTS:
            facts["paths"] = json.dumps(
                {path: {"mask": child.mask, "domain": child.domain} for path, _, child in spec.children}
            )
        return {name: value for name, value in facts.items() if value}
