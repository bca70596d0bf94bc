"""What a notice can hold."""

from dataclasses import fields

import pytest

from pdp.channels.notice import MAX_NAME, Aim, Notice, Part, Refused, said


def notice(state: str, *parts: Part) -> Notice:
    return Notice(
        aim=Aim.ASK,
        approval_id="apr_1",
        version=1,
        state=state,
        action="transfer",
        resource_type="account",
        caller="agent:claude",
        progress=parts,
        reviews=(),
        ends_at=None,
        page="",
    )


def test_notice_has_no_place_for_what_a_chat_must_not_keep() -> None:
    names = {field.name for field in fields(Notice)}
    assert not names & {"resource_id", "resource", "properties", "context", "reason", "justification", "words"}


def test_progress_counts_no_more_people_than_are_asked_for() -> None:
    two = notice("PENDING", Part("finance.large", 2, 1), Part("data.steward", 0, 2))
    assert (two.approved, two.needed) == (1, 3)
    assert two.rules == ("finance.large", "data.steward")


@pytest.mark.parametrize("state", ["APPROVED", "DENIED", "EXPIRED", "CANCELLED", "REVOKED", "VOIDED", "CONSUMED"])
def test_only_what_is_pending_is_open(state: str) -> None:
    assert notice("PENDING").is_open
    assert not notice(state).is_open


def test_texts_are_on_one_line_visible_and_shortened() -> None:
    assert said("a\nb\u202ec") == "a\\u{a}b\\u{202e}c"
    assert len(said("x" * 200)) == MAX_NAME
    assert said("x" * 200).endswith("…")
    assert said("x" * MAX_NAME) == "x" * MAX_NAME


def test_refusal_says_what_the_channel_wants() -> None:
    refused = Refused("it wants no more for now", retry_after=30)
    assert (refused.problem, refused.retry_after, refused.dead) == ("it wants no more for now", 30, False)
