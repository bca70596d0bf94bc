"""Rules and declared domains become specs, every parameter checked.

1. A mask with a key is declared once, as a domain; rules name the domain. That makes equal values equal tokens.
2. A mask without a key stands in the rule, with its parameters.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from masker import methods, parameter
from masker.spec import Spec

Children = tuple[tuple[str, str, Spec], ...]


class SpecRefused(Exception):
    """A declaration is wrong; the plan adds column and rule."""


def domain_spec(name: str, declaration: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    """Return the spec of a declared domain."""
    mask = str(declaration.get("mask"))
    if mask not in parameter.DOMAIN:
        raise SpecRefused(f"domain {name}: mask must be one of {', '.join(parameter.DOMAIN)}")
    what = f"domain {name}"
    given = _checked(what, _without(declaration, "mask"), {**parameter.DOMAIN[mask], **parameter.TOLD})
    params = _without(given, *parameter.TOLD)
    return _complete(what, Spec(mask, name, tuple(sorted(params.items()))), domains)


def rule_spec(rule: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    """Return the spec of a rule's mask or domain and parameters (without column, rule, reason)."""
    if ("domain" in rule) == ("mask" in rule):
        raise SpecRefused("a rule names a domain or a mask, one of them")
    if "domain" in rule:
        return _domain_rule(rule, domains)
    mask = rule["mask"]
    if mask in parameter.DOMAIN:
        raise SpecRefused(f"mask {mask} needs a key: declare a domain with it, and name the domain")
    if mask not in parameter.FREE:
        raise SpecRefused("the mask is unknown")
    what = f"mask {mask}"
    params = _checked(what, _without(rule, "mask"), parameter.FREE[mask])
    return _complete(what, Spec(mask, params=tuple(sorted(params.items()))), domains)


def _domain_rule(rule: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    name = rule["domain"]
    if not isinstance(name, str) or not isinstance(domains.get(name), Mapping):
        raise SpecRefused("the domain is not declared")
    spec = domain_spec(name, domains[name], domains)
    params = _checked(f"a rule of domain {name}", _without(rule, "domain"), parameter.ENTRY.get(spec.mask, {}))
    return dataclasses.replace(spec, params=tuple(sorted((dict(spec.params) | params).items())))


def _complete(what: str, spec: Spec, domains: Mapping[str, Any]) -> Spec:
    """Check the parameters together and add the specs below; those of `json` stand in for its one parameter."""
    if spec.mask in parameter.PROBLEMS and (wrong := parameter.PROBLEMS[spec.mask](spec)):
        raise SpecRefused(f"{what}: {wrong}")
    if spec.get("paths") is not None:
        return Spec(spec.mask, children=_below(spec["paths"], domains))
    return dataclasses.replace(spec, children=_halves(what, spec, domains))


def _below(paths: Mapping[str, Any], domains: Mapping[str, Any]) -> Children:
    children = []
    for path, entry in sorted(paths.items()):
        if not isinstance(entry, Mapping):
            raise SpecRefused("every path of json maps to a mask")
        spec = rule_spec(_without(entry, "rule", "reason"), domains)
        if methods.of(spec).takes is methods.Takes.DOCUMENTS:
            raise SpecRefused("a json mask cannot stand in another one")
        children.append((path, str(entry.get("rule", "")), spec))
    return tuple(children)


def _halves(what: str, spec: Spec, domains: Mapping[str, Any]) -> Children:
    """The token domains of an e-mail address's halves, where its domain names them."""
    named = {half: spec.get(half) for half in ("local", "host")}
    if list(named.values()).count(None) == 1:
        raise SpecRefused(f"{what} needs both local and host, or neither")
    halves = []
    for half, name in named.items():
        if name is None:
            continue
        declared = domains.get(name)
        if not isinstance(declared, Mapping) or declared.get("mask") != "token":
            raise SpecRefused(f"{what}: {half} must name a declared domain of mask token")
        halves.append((half, "", domain_spec(name, declared, domains)))
    return tuple(halves)


def _without(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}


def _checked(what: str, given: Mapping[str, Any], checks: parameter.Checks) -> dict[str, Any]:
    """Fill defaults and check each parameter; an unknown one is refused by name."""
    unknown = sorted(set(given) - set(checks))
    if unknown:
        raise SpecRefused(f"{what} does not take {', '.join(map(repr, unknown))}")
    params = {}
    for name, (check, default) in checks.items():
        params[name] = check(given[name]) if name in given else default
        if params[name] is parameter.WRONG or (name in given and params[name] is None):
            raise SpecRefused(f"{what}: {name} is missing or wrong")
    return params
