"""How each person is told: by what the person chose, and else by what the policy's data says.

Requests and their endings obey it. What changes of a person's own is told on every channel at any hour.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pdp.bad_fields import BadFields
from pdp.errors import InvalidRequest
from pdp.preference import Preference
from pdp.quiet import Quiet
from pdp.workflow.contacts import Contacts
from pdp.workflow.preferences import Preferences


@dataclass(frozen=True, slots=True)
class Current:
    """How a person is told now.

    `channels` are those that know where the person is; in `muted` ones the person wants no message. `chosen_at` is None
    where the person chose nothing.
    """

    channels: tuple[str, ...]
    muted: tuple[str, ...]
    quiet: Quiet | None
    chosen_at: datetime | None


class Choosing:
    """Knows what counts for each person, and changes it. `addresses` are the server's channels: where each is told."""

    def __init__(
        self, preferences: Preferences, contacts: Contacts, addresses: Mapping[str, Callable[[str], Awaitable[str]]]
    ) -> None:
        self._preferences, self._contacts, self._addresses = preferences, contacts, addresses

    @property
    def channels(self) -> Sequence[str]:
        """The server's channels."""
        return tuple(self._addresses)

    async def muted(self, identity: str) -> Sequence[str]:
        """The channels in which a person wants no message."""
        preference = await self._preferences.of(identity)
        return preference.muted if preference else ()

    async def quiet(self, identity: str) -> Quiet | None:
        """The hours in which a person wants no message. Raises `EngineUnavailable`."""
        return await self._quiet(identity, await self._preferences.of(identity))

    async def current(self, identity: str) -> Current:
        """How a person is told. Raises `EngineUnavailable`."""
        known = tuple([name for name, address in self._addresses.items() if await address(identity)])
        preference = await self._preferences.of(identity)
        muted = tuple(name for name in preference.muted if name in self._addresses) if preference else ()
        return Current(known, muted, await self._quiet(identity, preference), preference.at if preference else None)

    async def choose(self, identity: str, muted: Sequence[str], quiet: str) -> None:
        """Tell a person nothing in these channels and hours. Raises `InvalidRequest`."""
        with BadFields() as bad:
            bad.tried(self._require_own, muted)
            hours = bad.tried(_hours, quiet)
        await self._preferences.keep(identity, muted, hours)

    async def reset(self, identity: str) -> None:
        """Go back to what the policy's data says."""
        await self._preferences.forget(identity)

    async def _quiet(self, identity: str, preference: Preference | None) -> Quiet | None:
        return Quiet.of(preference.quiet) if preference else (await self._contacts.of(identity)).quiet

    def _require_own(self, muted: Sequence[str]) -> None:
        if len(muted) > len(self._addresses):
            raise InvalidRequest.field(
                "muted", f"has {len(muted)} names; this server has {len(self._addresses)} channels"
            )
        unknown = [
            (f"muted[{place}]", "is not a channel of this server")
            for place, name in enumerate(muted)
            if name not in self._addresses
        ]
        twice = [(f"muted[{place}]", "stands twice") for place, name in enumerate(muted) if name in muted[:place]]
        if bad := unknown + twice:
            raise InvalidRequest.fields(bad)


def _hours(text: str) -> str:
    """Hours as they are stored; empty for none. Raises `InvalidRequest`."""
    if text and Quiet.of(text) is None:
        raise InvalidRequest.field("quiet", "is not of the form 22:00-07:00 Europe/Berlin")
    return text
