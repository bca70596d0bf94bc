"""Checks domains and the masks that name them. It sees what is written out; the server checks computed values.

1. A domain is declared once, in `data.domains`. This is what makes equal values equal tokens.
2. So an entry that names a domain repeats none of the domain's parameters.
3. A domain in force never changes; a changed one needs a new name.
4. Parameters are checked only if the extra `mask` is installed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pdp.domain import fixed
from pdp.policy.entry import COMPUTED, Fault
from pdp.policy.finding import Finding
from pdp.policy.module import Module, entry_of
from pdp.policy.sources import Source

SELECTORS, KINDS = ("columns", "tags"), ("domain", "mask")
_OWN = {"rule", "reason", "rank", *SELECTORS, *KINDS}
_PATH_LIKE = re.compile(r'\[[^\]]*$|\[\d+\]|\["|\[\'|\[\*|\.\.|^\$?\.|\.$')
"""What looks like a path of some other language, or like one of ours that is misspelt."""
_PATH = re.compile(r'(?!\$\.)(?:\.?[^.\[\]"\s]+|\[\]|\["(?:[^"\\]|\\.)*"\])+')
_BESIDE_DOMAIN = {"entity", "format"}
"""The keys that an entry may have beside `domain`: they are about the column, not about the values."""

_UNTOLD = (
    '`data.domains.{name}`: say how many values it may have, as in `"values": 10000000` for seven digits, or '
    '`"values": "open"` for text that people write freely'
)
_FEW = 1_000_000_000
"""Fewer values than this are found by masking each one: at the speed of one server, in minutes."""


def entries(module: Module, data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each fault in the `mask` entries of a module."""
    domains = data.get("domains", {})
    for rule in module.rules if module.package == ("policy",) else ():
        entry = entry_of(rule)
        if rule["head"]["ref"][0]["value"] != "mask" or not isinstance(entry, dict):
            continue
        declared = domains if isinstance(domains, dict) else {}
        for fault, sentence in (*_faults(entry, declared), *_matching_nothing(entry)):
            yield module.finding(rule["head"], fault, sentence)


def declarations(source: Source, document: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each fault in the domains that a data file declares."""
    domains = document.get("domains", {})
    if not isinstance(domains, dict):
        yield Finding(source.shown, 0, "bad-domain", "`data.domains`: write an object with one key for each domain")
        return
    for name, domain in domains.items():
        if problem := _declared_wrongly(name, domain, domains):
            yield Finding(source.shown, 0, "bad-domain", f"`data.domains.{name}`: {problem}")
        elif domain["mask"] != "fpe" and "values" not in domain:
            yield Finding(source.shown, 0, "domain-values", _UNTOLD.format(name=name))


def guessable(source: Source, document: Mapping[str, Any]) -> Iterator[Finding]:
    """A warning for each domain with so few values that a caller with `mask` finds what each token stands for."""
    domains = document.get("domains", {})
    for name, domain in domains.items() if isinstance(domains, dict) else ():
        values = _least_values(name, domain, domains)
        if values is not None and values < _FEW and not domain.get("guessable"):
            yield Finding(
                source.shown,
                0,
                "guessable-domain",
                f"`data.domains.{name}` has only {values:,} values, so a caller that masks all of them knows what each "
                'token stands for; say there why that is fine, as in `"guessable": "only the nightly job masks"`',
            )


def _least_values(name: str, domain: Any, domains: Mapping[str, Any]) -> int | None:
    """How few values a domain may have; None where it is not known, or open. `fpe` encrypts nothing that has less."""
    if _declared_wrongly(name, domain, domains):
        return None
    told = domain.get("values")
    if told is not None or domain.get("mask") != "fpe":
        return told if isinstance(told, int) else None
    if (declaration := _masker()) is None:
        return None
    spec = declaration.domain_spec(name, domain, domains)
    size = len(spec.form.alphabet)
    return size if spec["on_short"] == "token" else int(size**spec.form.least)


def changed(source: Source, document: Mapping[str, Any], in_force: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each domain that differs from the one in force or ever used: data that it masked would not join."""
    domains = document.get("domains", {})
    for name in domains.keys() & in_force.keys() if isinstance(domains, dict) else ():
        if fixed(domains[name]) != fixed(in_force[name]):
            sentence = f"`data.domains.{name}` was in force and differs; declare what you want under a new name"
            yield Finding(source.shown, 0, "changed-domain", sentence)


def _faults(entry: Mapping[str, Any], domains: Mapping[str, Any]) -> Iterable[Fault]:
    found = list(_shape_faults(entry))
    if found or "domain" not in entry:
        return found or _parameter_faults(entry, domains)
    name = entry["domain"]
    if name is COMPUTED:
        return []
    if name not in domains:
        return [("undeclared-domain", f"declare `{name}` in data.domains, or name one of {_names(domains)}")]
    repeated = entry.keys() - _OWN - _BESIDE_DOMAIN
    if repeated:
        sentence = f"remove `{min(repeated)}`: a domain's parameters are declared once, in data.domains.{name}"
        return [("repeats-domain", sentence)]
    return _parameter_faults(entry, domains)


def _shape_faults(entry: Mapping[str, Any]) -> Iterator[Fault]:
    if sum(selector in entry for selector in SELECTORS) != 1:
        yield "missing-key", 'name either `columns` or `tags`; columns `["*"]` are those that no other entry names'
    if "domain" in entry and "mask" in entry:
        yield "two-masks", "remove `mask`: the domain sets the mask"
    elif "domain" not in entry and "mask" not in entry:
        yield "missing-key", "add `domain`, or `mask` if no key is involved"
    for selector in SELECTORS:
        names = entry.get(selector, ["*"])
        if names is not COMPUTED and not (isinstance(names, list) and names and all(map(_is_name, names))):
            yield "wrong-type", f"make `{selector}` a list of texts, at least one"
    rank = entry.get("rank", 0)
    if rank is not COMPUTED and type(rank) is not int:
        yield "wrong-type", "make `rank` a whole number; the highest wins where a column has several masks"


def _matching_nothing(entry: Mapping[str, Any]) -> Iterator[Fault]:
    """Names that no column can have, so that the entry masks nothing while it seems to."""
    names = [name for name in _written(entry, "columns") if isinstance(name, str)]
    if "*" in names and len(names) > 1:
        yield "matches-nothing", 'write `"*"` alone: it is every column that no other entry names, in a rule of its own'
    for name in names:
        if _PATH_LIKE.search(name) and not _PATH.fullmatch(name):
            yield "matches-nothing", f'`{name}` is not a path; write `a.b`, `a[]`, or `["odd name"]` with JSON quotes'


def _written(entry: Mapping[str, Any], selector: str) -> list[Any]:
    names = entry.get(selector, [])
    return names if isinstance(names, list) else []


def _is_name(value: Any) -> bool:
    return value is COMPUTED or (isinstance(value, str) and bool(value))


def _parameter_faults(entry: Mapping[str, Any], domains: Mapping[str, Any]) -> list[Fault]:
    parameters = {key: value for key, value in entry.items() if key not in _OWN or key in KINDS}
    declaration = None if any(_holds_computed(value) for value in parameters.values()) else _masker()
    if declaration is None:
        return []
    try:
        declaration.rule_spec(parameters, domains)
    except declaration.SpecRefused as refused:
        return [("bad-mask", str(refused))]
    return []


def _declared_wrongly(name: str, domain: Any, domains: Mapping[str, Any]) -> str:
    if not isinstance(domain, dict) or not isinstance(domain.get("mask"), str):
        return "write an object with one `mask` and its parameters"
    declaration = _masker()
    if declaration is None:
        return ""
    try:
        declaration.domain_spec(name, domain, domains)
    except declaration.SpecRefused as refused:
        return str(refused)
    return ""


@cache
def _masker() -> Any:
    """The module that checks parameters; None without the extra `mask`. It takes a second to load, so it loads late."""
    try:
        from masker import declaration  # noqa: PLC0415
    except ImportError:
        return None
    return declaration


def _holds_computed(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_computed, value.values()))
    if isinstance(value, list):
        return any(map(_holds_computed, value))
    return value is COMPUTED


def _names(domains: Mapping[str, Any]) -> str:
    return ", ".join(sorted(domains)) or "the declared ones (there are none)"
