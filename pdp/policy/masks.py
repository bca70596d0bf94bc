"""Domains and the masks that name them, as far as written out; the server checks what is computed.

A domain is declared once, in `data.domains`; that is what makes equal values equal tokens. So an entry that names a
domain says nothing of what the domain says, and a domain in force is never changed: it gets a new name. Parameters are
checked where the extra `mask` is installed.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pdp.policy.entry import COMPUTED, Fault
from pdp.policy.finding import Finding
from pdp.policy.module import Module, entry_of
from pdp.policy.sources import Source

SELECTORS, KINDS = ("columns", "tags"), ("domain", "mask")
_OWN = {"rule", "reason", *SELECTORS, *KINDS}
_BESIDE_DOMAIN = {"entity", "format"}
"""What an entry may say beside a domain, as it is about the column and not about the values."""


def entries(module: Module, data: Mapping[str, Any]) -> Iterator[Finding]:
    """The faults of the `mask` entries of a module."""
    domains = data.get("domains", {})
    for rule in module.rules if module.package == ("policy",) else ():
        entry = entry_of(rule)
        if rule["head"]["ref"][0]["value"] != "mask" or not isinstance(entry, dict):
            continue
        for fault, sentence in _faults(entry, domains if isinstance(domains, dict) else {}):
            yield module.finding(rule["head"], fault, sentence)


def declarations(source: Source, document: Mapping[str, Any]) -> Iterator[Finding]:
    """The faults of the domains that a data file declares."""
    domains = document.get("domains", {})
    if not isinstance(domains, dict):
        yield Finding(source.shown, 0, "bad-domain", "`data.domains`: write an object, one key a domain")
        return
    for name, domain in domains.items():
        if problem := _declared_wrongly(name, domain, domains):
            yield Finding(source.shown, 0, "bad-domain", f"`data.domains.{name}`: {problem}")


def changed(source: Source, document: Mapping[str, Any], in_force: Mapping[str, Any]) -> Iterator[Finding]:
    """Domains that say something else than those in force or ever used: what they masked would join no more."""
    domains = document.get("domains", {})
    for name in domains.keys() & in_force.keys() if isinstance(domains, dict) else ():
        if domains[name] != in_force[name]:
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
    said = entry.keys() - _OWN - _BESIDE_DOMAIN
    if said:
        sentence = f"remove `{min(said)}`: what a domain does is said once, in data.domains.{name}"
        return [("repeats-domain", sentence)]
    return _parameter_faults(entry, domains)


def _shape_faults(entry: Mapping[str, Any]) -> Iterator[Fault]:
    if sum(selector in entry for selector in SELECTORS) != 1:
        yield "missing-key", 'name the `columns` or the `tags`, one of them; `["*"]` is what nothing else names'
    if "domain" in entry and "mask" in entry:
        yield "two-masks", "remove `mask`: a domain has its mask, and has one"
    elif "domain" not in entry and "mask" not in entry:
        yield "missing-key", "add `domain`, or `mask` where no key is involved"
    for selector in SELECTORS:
        names = entry.get(selector, ["*"])
        if names is not COMPUTED and not (isinstance(names, list) and names and all(map(_is_name, names))):
            yield "wrong-type", f"make `{selector}` a list of texts, at least one"


def _is_name(value: Any) -> bool:
    return value is COMPUTED or (isinstance(value, str) and bool(value))


def _parameter_faults(entry: Mapping[str, Any], domains: Mapping[str, Any]) -> list[Fault]:
    said = {key: value for key, value in entry.items() if key not in _OWN or key in KINDS}
    declaration = None if any(_holds_computed(value) for value in said.values()) else _masker()
    if declaration is None:
        return []
    try:
        declaration.rule_spec(said, domains)
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
    """What knows the parameters; None without the extra `mask`. Loaded for policies that mask: it takes a second."""
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
    return ", ".join(sorted(domains)) or "none that there are"
