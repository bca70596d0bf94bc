"""To whom a requirement is addressed, in words that an index of pending approvals can find. Pure.

A person fits a requirement exactly if one of its words reaches the person: the identity, a group of the person, or
claims that the person's token has. The policy says whom groups and claims reach.
"""

from collections.abc import Iterable
from hashlib import sha256

import orjson

from pdp.requirement import Requirement

_GROUP, _CLAIMS, _IDENTITY = "g:", "c:", "i:"


def words(requirements: Iterable[Requirement]) -> list[str]:
    """The words of all requirements together."""
    found: set[str] = set()
    for requirement in requirements:
        found |= {_GROUP + group for group in requirement.groups}
        found |= {_IDENTITY + identity for identity in requirement.identities}
        if requirement.claims:
            found.add(_CLAIMS + _fingerprint(requirement))
    return sorted(found)


def of_identity(identity: str) -> str:
    """The word that reaches this identity alone."""
    return _IDENTITY + identity


def of_group(group: str) -> str:
    """The word of a requirement that asks for this group."""
    return _GROUP + group


def shared(requirements: Iterable[Requirement]) -> dict[str, Requirement]:
    """The words of groups and claims, each with a requirement that asks for it and for nothing else."""
    found: dict[str, Requirement] = {}
    for requirement in requirements:
        for group in requirement.groups:
            found[_GROUP + group] = Requirement(_GROUP, _GROUP, groups=(group,))
        if requirement.claims:
            found[_CLAIMS + _fingerprint(requirement)] = Requirement(_CLAIMS, _CLAIMS, claims=requirement.claims)
    return found


def _fingerprint(requirement: Requirement) -> str:
    return sha256(orjson.dumps(requirement.claims, option=orjson.OPT_SORT_KEYS)).hexdigest()
