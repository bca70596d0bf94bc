"""What a person is told of a change of what is the person's own: passkeys, links, and how to be told. Pure."""

from collections.abc import Mapping

from pdp.audit.record import Kind
from pdp.channels.notice import Note

_OTHERWISE = "If that was not you, tell those who run this server at once: somebody is logged in as you."
_NOTES: Mapping[str, str] = {
    Kind.PASSKEY_ADDED: f"A passkey was added to your account. {_OTHERWISE}",
    Kind.PASSKEY_REMOVED: f"A passkey was removed from your account. {_OTHERWISE}",
    Kind.IDENTITY_LINKED: f"A chat account was linked to you: it may act in your name. {_OTHERWISE}",
    Kind.IDENTITY_UNLINKED: f"A chat account is not linked to you any more. {_OTHERWISE}",
    Kind.PREFERENCE_CHANGED: f"Where and when you are told of requests was changed. {_OTHERWISE}",
}


def note_of(kind: str, page: str) -> Note | None:
    """What a person is told of a change of what is the person's own; None for a kind of which nobody is told."""
    return Note(_NOTES[kind], page) if kind in _NOTES else None
