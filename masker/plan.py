"""Rules and a schema become a plan: every refusal happens here, before the first row.

A plan says for each leaf column which mask runs and what comes out. It holds no keys,
and it can be written as JSON and read back, which makes every check again.
"""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from masker.arrow.schema import duplicates, from_bytes, schema_with, to_bytes, walk
from masker.declaration import SpecRefused, rule_spec
from masker.errors import PlanRefused
from masker.leaf import Leaf, Leaves
from masker.path import Path, render
from masker.spec import KEEP, Spec

DIRECTIONS = ("mask", "unmask", "rewrap")
"""What a plan does: mask, take reversible masks off, or move them to another key version."""

_RULE_KEYS = {"column", "rule", "reason"}
_OPTIONS = ("key_version", "masked_version", "table", "subject", "policy_revision", "expires_at", "direction")


@dataclasses.dataclass(frozen=True)
class MaskPlan:
    """What happens to each column of one table for one subject, with the whole output schema.

    1. `expires_at` is in seconds since 1970; None means never.
    2. `key_version` is the key version that masks, or that rewrap moves to; 0 where no key is involved.
    3. `leaves` are the columns that are not nested, in the order of the schema.
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
            schema = from_bytes(base64.b64decode(document["schema"]))
            options = {name: document[name] for name in _OPTIONS}
            rules, domains = [dict(mask) for mask in document["masks"]], dict(document["domains"])
            known = document["format"] == 1
        except (ValueError, KeyError, TypeError, OSError):
            known = False
        if not known:
            raise PlanRefused("this is not a mask plan of format 1")
        return plan(schema, rules, domains, **options)

    def sha256(self) -> str:
        """Return the SHA-256 of what the plan does, in lower-case hex: two plans with the same one mask alike.

        It covers all of the plan but the policy's revision, the end of the plan, and domains that no column uses.
        """
        document = json.loads(self.source)
        del document["policy_revision"], document["expires_at"]
        used = {name for leaf in self.leaves for name in _domains(leaf.spec)}
        document["domains"] = {name: document["domains"][name] for name in used}
        document["masks"].sort(key=lambda mask: str(mask["column"]))
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

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
    """Compile the masks that a policy selected for the columns of an Arrow schema.

    1. A mask is {column, rule, domain or mask, parameters}, as in {"column": "id", "rule": "r", "domain": "customer"}.
    2. Raises PlanRefused, which names column and rule.
    3. To `unmask` or `rewrap`, give the schema of the masked table. A column without a reversible mask passes through.
    4. `key_version` is the version to mask with, or to move to. `masked_version` is the version that masked the `fpe`
       columns whose field metadata does not tell it.
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
    leaves = Leaves(schema, _assigned(schema, rules, declared), options)
    fields = [leaves.field((field.name,), field) for field in schema]
    leaves.check_entities()
    if direction != "mask" and not any(leaf.spec != KEEP for leaf in leaves.found):
        raise PlanRefused("none of the columns has a mask that can be reversed")
    document = {
        "format": 1,
        "schema": base64.b64encode(to_bytes(schema)).decode(),
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
        output_schema=schema_with(fields),
        leaves=tuple(leaves.found),
        source=json.dumps(document | options, ensure_ascii=False),
    )


def _domains(spec: Spec) -> set[str]:
    """Return the domain of a mask and those of the masks below it."""
    return {spec.domain} - {""} | {name for _, _, child in spec.children for name in _domains(child)}


def _assigned(schema: Any, masks: list[dict[str, Any]], domains: Mapping[str, Any]) -> dict[Path, tuple[str, Spec]]:
    """Return path -> (rules, spec); one column, one mask."""
    repeated = duplicates(schema)
    if repeated:
        raise PlanRefused("two columns have the same name", column=repeated[0])
    known = {render(path): path for path, _ in walk(schema)}
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
            raise PlanRefused("the column has two different masks", column=column, rule=f"{before[0]}, {rule}")
        rules = f"{before[0]}, {rule}" if before and rule not in before[0].split(", ") else rule
        assigned[path] = (rules, compiled)
    return assigned


def _spec(mask: Mapping[str, Any], domains: Mapping[str, Any], column: str, rule: str) -> Spec:
    problem = ""
    try:
        return rule_spec({key: value for key, value in mask.items() if key not in _RULE_KEYS}, domains)
    except SpecRefused as refused:
        problem = str(refused)
    raise PlanRefused(problem, column=column, rule=rule)
