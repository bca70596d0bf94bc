"""What a mask is told: domain declarations and rule parameters, checked once.

A keyed mask is named by its domain, declared once; a mask without a key stands in the
rule with its parameters. Equal specs are the same mask.
"""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from masker import parameter
from masker.kernels import fpe

KEYED = ("token", "fpe", "pseudonym", "email", "date_shift")
REVERSIBLE = ("token", "fpe", "email", "json")
FREE = ("partial", "redact", "nullify", "clear", "generalize", "json")


class SpecRefused(Exception):
    """A declaration is wrong; the plan adds column and rule."""


@dataclasses.dataclass(frozen=True)
class Spec:
    """One mask: `params` as declared, defaults filled in; `domain` is empty where no key is involved.

    `children` are the specs of a `json` mask by path, or of an e-mail's halves.
    """

    mask: str
    domain: str = ""
    params: tuple[tuple[str, Any], ...] = ()
    children: tuple[tuple[str, str, "Spec"], ...] = ()  # (path, rule, spec)

    def __getitem__(self, name: str) -> Any:
        return dict(self.params)[name]

    @cached_property
    def form(self) -> fpe.Format:
        """The format of an `fpe` domain."""
        luhn = {"valid": fpe.LUHN_VALID, "invalid": fpe.LUHN_INVALID, None: None}[self["luhn"]]
        kept = (self["keep_prefix"], self["keep_suffix"])
        return fpe.Format(self["alphabet"], self["separators"], *kept, luhn=luhn, bits=self["aes"])

    @property
    def unfit(self) -> str:
        """What becomes of a value that does not fit: error or null."""
        return str(dict(self.params).get("unfit", "error"))

    @property
    def nulls(self) -> bool:
        """Whether a value can become null."""
        on_short = dict(self.params).get("on_short")
        return self.mask == "nullify" or "null" in {self.unfit, on_short}


KEEP = Spec("keep")  # no mask at all: what unmask and rewrap leave alone


def domain_spec(name: str, declaration: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    """Return the spec of a declared domain."""
    mask = declaration.get("mask")
    if mask not in KEYED:
        raise SpecRefused(f"domain {name} declares no mask of {', '.join(KEYED)}")
    given = {key: value for key, value in declaration.items() if key != "mask"}
    params = _checked(f"domain {name}", given, parameter.DOMAIN[mask])
    spec = Spec(mask, name, tuple(sorted(params.items())))
    if mask == "fpe":
        _check_fpe(name, spec)
    if mask == "date_shift" and (params["days"] is None) == (params["weeks"] is None):
        raise SpecRefused(f"domain {name} needs days or weeks, one of them")
    return dataclasses.replace(spec, children=_halves(name, params, domains)) if mask == "email" else spec


def rule_spec(rule: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    """Return the spec of a rule's mask or domain and parameters (without column, rule, reason)."""
    if ("domain" in rule) == ("mask" in rule):
        raise SpecRefused("a rule names a domain or a mask, one of them")
    if "domain" in rule:
        return _domain_rule(rule, domains)
    mask = rule["mask"]
    if mask in KEYED:
        raise SpecRefused(f"mask {mask} needs a key, so a declared domain names it")
    if mask not in FREE:
        raise SpecRefused("the mask is unknown")
    given = {key: value for key, value in rule.items() if key != "mask"}
    params = _checked(f"mask {mask}", given, parameter.FREE[mask])
    if mask == "json":
        return Spec(mask, children=_json_children(params["paths"], domains))
    if mask == "generalize":
        _check_generalize(params)
    return Spec(mask, params=tuple(sorted(params.items())))


def _domain_rule(rule: Mapping[str, Any], domains: Mapping[str, Any]) -> Spec:
    name = rule["domain"]
    if not isinstance(name, str) or not isinstance(domains.get(name), Mapping):
        raise SpecRefused("the domain is not declared")
    spec = domain_spec(name, domains[name], domains)
    given = {key: value for key, value in rule.items() if key != "domain"}
    params = _checked(f"a rule of domain {name}", given, parameter.ENTRY if spec.mask == "date_shift" else {})
    return dataclasses.replace(spec, params=tuple(sorted((dict(spec.params) | params).items())))


def _json_children(paths: Mapping[str, Any], domains: Mapping[str, Any]) -> tuple[tuple[str, str, Spec], ...]:
    children = []
    for path, entry in sorted(paths.items()):
        if not isinstance(entry, Mapping):
            raise SpecRefused("every path of json maps to a mask")
        given = {key: value for key, value in entry.items() if key not in {"rule", "reason"}}
        spec = rule_spec(given, domains)
        if spec.mask == "json":
            raise SpecRefused("json stands in no json")
        children.append((path, str(entry.get("rule", "")), spec))
    return tuple(children)


def _halves(name: str, params: dict[str, Any], domains: Mapping[str, Any]) -> tuple[tuple[str, str, Spec], ...]:
    if (params["local"] is None) != (params["host"] is None):
        raise SpecRefused(f"domain {name} needs both local and host, or neither")
    halves = []
    for half in ("local", "host"):
        if params[half] is not None:
            declared = domains.get(params[half])
            if not isinstance(declared, Mapping) or declared.get("mask") != "token":
                raise SpecRefused(f"domain {name}: {half} names no declared domain of mask token")
            halves.append((half, "", domain_spec(params[half], declared, domains)))
    return tuple(halves)


def _check_fpe(name: str, spec: Spec) -> None:
    alphabet, separators = spec["alphabet"], spec["separators"]
    if set(alphabet) & set(separators):
        raise SpecRefused(f"domain {name}: a separator stands in the alphabet")
    if spec["on_short"] == "token" and "_" in alphabet + separators:
        raise SpecRefused(f"domain {name}: on_short token excludes _ from alphabet and separators")
    if spec["luhn"] is not None and (spec["keep_suffix"] or alphabet != tuple("0123456789")):
        raise SpecRefused(f"domain {name}: luhn needs the digits 0 to 9 in order and no keep_suffix")
    if spec["keep_prefix"] + spec["keep_suffix"] > fpe.LIMIT - spec.form.least:
        raise SpecRefused(f"domain {name}: so many kept characters leave nothing to encrypt")


def _check_generalize(params: dict[str, Any]) -> None:
    to = params["to"]
    for name, needed_by in parameter.NEEDS.items():
        if (params[name] is not None) != (to == needed_by) and name not in {"least", "most", "format"}:
            raise SpecRefused(f"generalize to {needed_by} needs {name}, nothing else takes it")
    if (to == "clamp") != (params["least"] is not None or params["most"] is not None):
        raise SpecRefused("generalize to clamp needs least or most, nothing else takes them")
    if params["least"] is not None and params["most"] is not None and params["least"] > params["most"]:
        raise SpecRefused("least is above most")


def _checked(what: str, given: Mapping[str, Any], checks: Mapping[str, tuple[parameter.Check, Any]]) -> dict[str, Any]:
    """Fill defaults and check each parameter; an unknown one is refused by name."""
    unknown = sorted(set(given) - set(checks))
    if unknown:
        raise SpecRefused(f"{what} takes no {', '.join(map(repr, unknown))}")
    params = {}
    for name, (check, default) in checks.items():
        params[name] = check(given[name]) if name in given else default
        if params[name] is parameter.WRONG or (name in given and params[name] is None):
            raise SpecRefused(f"{what}: {name} is missing or wrong")
    return params
