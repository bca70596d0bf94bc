"""The domains that an unmasking opens: what the tokens say themselves, else what the plan says.

A table's name is the caller's word, and tables may share a domain. A token opens with the key of its domain alone, so
that a policy can rely on the domain.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache

import masker
from masker import methods
from masker.arrow import tree
from masker.records import COLUMN
from masker.spec import Spec
from pdp.arrow.table import Batch
from pdp.arrow.tokens import at_path, python_values
from pdp.masking.plan import domain_names, specs

_TOKEN = re.compile(r'(?:^|[@"])[a-z][a-z0-9]{0,11}_([a-z2-7]{6})')
"""A token at the beginning of a value, as the half of an address, or as a text of JSON; its group is the key id."""
_NONE = ""
"""Stands for the key id of a value that holds no token."""


def planned_domains(made: masker.MaskPlan) -> list[str]:
    """Every domain that a plan may open."""
    return sorted({name for _, spec in specs(made) if methods.of(spec).reversible for name in domain_names(spec)})


def unmasked_domains(made: masker.MaskPlan, keys: masker.Keyring, batch: Batch) -> list[str]:
    """The domains of these tokens, and of each column whose values do not all tell theirs, those of its plan.

    A domain whose values hold no token of its own, as that of an address by halves, is always there.
    """
    reversible = [(column, spec) for column, spec in specs(made) if methods.of(spec).reversible]
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        reversible = [(COLUMN, made.leaves[0].spec)]
    named = _Named(made, keys)
    found: set[str] = set()
    for column, spec in reversible:
        array = at_path(batch, column)
        dictionary = None if array is None else tree.dictionary_of(array)
        values = () if array is None else python_values(array if dictionary is None else dictionary[0])
        told, is_sure = named.told(values)
        found |= told if is_sure and not spec.children else told | _planned(spec)
    return sorted(found)


def _planned(spec: Spec) -> set[str]:
    reversible = [child for _, _, child in spec.children if methods.of(child).reversible]
    return domain_names(spec) if spec.domain else {name for child in reversible for name in domain_names(child)}


class _Named:
    """Names the domains of key ids. All declared domains are looked through only where the plan's are not enough."""

    def __init__(self, made: masker.MaskPlan, keys: masker.Keyring) -> None:
        self._keys = keys
        self._planned = self._by_id(planned_domains(made))
        self._all = cache(lambda: self._by_id(json.loads(made.source)["domains"]))

    def told(self, values: Iterable[object]) -> tuple[set[str], bool]:
        """The domains that values tell, and whether there are some and all of them tell one."""
        ids: set[str] = set()
        for value in values:
            if value is not None:
                ids.update(_TOKEN.findall(str(value)) or [_NONE])
        known = {one: self._planned.get(one) or self._all().get(one, set()) for one in ids - {_NONE}}
        is_sure = bool(known) and _NONE not in ids and all(known.values())
        return {name for names in known.values() for name in names}, is_sure

    def _by_id(self, domains: Iterable[str]) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for domain in domains:
            for key_id in self._keys.key_ids(domain):
                found.setdefault(key_id, set()).add(domain)
        return found
