"""What the policy says of whom its data names is read strictly."""

from typing import Any

import pytest

from pdp.errors import PolicyInvalid
from pdp.workflow.reviewers import eligible

GOOD: dict[str, Any] = {"requirements": [{"user:bob": "slack:U1"}, {}], "more": [False, True], "revisions": ["r1"]}


def test_answer_names_people_requirement_by_requirement() -> None:
    assert eligible(GOOD, 2) == [({"user:bob": "slack:U1"}, False), ({}, True)]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (None, "null"),
        (True, "wrong_type"),
        ([], "wrong_type"),
        ({}, "wrong_type"),
        ({**GOOD, "extra": 1}, "unknown_key"),
        ({**GOOD, "revisions": []}, "no_revision"),
        ({**GOOD, "revisions": ["r1", "r2"]}, "no_revision"),
        ({**GOOD, "requirements": None}, "wrong_keys"),
        ({**GOOD, "requirements": {}}, "wrong_keys"),
        ({**GOOD, "requirements": [{}]}, "wrong_keys"),
        ({**GOOD, "requirements": [{}, {}, {}]}, "wrong_keys"),
        ({**GOOD, "more": None}, "wrong_keys"),
        ({**GOOD, "more": [False]}, "wrong_keys"),
        ({**GOOD, "more": [False, 1]}, "wrong_type"),
        *(
            ({**GOOD, "requirements": [people, {}]}, "wrong_type")
            for people in (None, [], ["user:bob"], "user:bob", {"user:bob": None}, {"user:bob": ""}, {"user:bob": 1})
        ),
    ],
)
def test_answer_that_is_not_exactly_one_is_the_policys_problem(answer: Any, problem: str) -> None:
    with pytest.raises(PolicyInvalid) as invalid:
        eligible(answer, 2)
    assert invalid.value.problem == problem
