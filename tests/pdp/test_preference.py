"""What a person chose of how to be told, and what its signature holds."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from pdp.preference import Preference, PreferenceSealer

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
SEALER = PreferenceSealer(KEY, "dev")
CHOSEN = SEALER.preference(
    Preference(identity="user:bob", muted=("slack",), quiet="22:00-07:00 UTC", at=datetime(2026, 1, 1, tzinfo=UTC))
)


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": "user:eve"},
        {"muted": ()},
        {"muted": ("mail", "slack")},
        {"quiet": ""},
        {"quiet": "00:00-23:59 UTC"},
        {"at": datetime(2026, 1, 2, tzinfo=UTC)},
        {"seal": ""},
        {"seal": "a.b.c"},
    ],
)
def test_preference_is_signed_whole(changes: dict[str, Any]) -> None:
    assert SEALER.is_ours(CHOSEN)
    assert not SEALER.is_ours(replace(CHOSEN, **changes))


def test_preference_is_of_one_realm_and_key() -> None:
    assert not PreferenceSealer(KEY, "other").is_ours(CHOSEN)
    assert not PreferenceSealer(OKPKey.generate_key("Ed25519", auto_kid=True), "dev").is_ours(CHOSEN)
