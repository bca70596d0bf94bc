"""How tags travel is read strictly: what is not a rule is an error."""

from typing import Any

import pytest

from pdp.errors import PolicyInvalid
from pdp.lineage.fact import TagRule
from pdp.workflow.tag_rules import tag_rules

PLAIN = {"propagate": True, "on_mask": "mark", "indirect": "stop"}


def test_each_tag_has_its_rule() -> None:
    answer = {"a": PLAIN, "b": {"propagate": False, "on_mask": "stop", "indirect": "carry"}}
    found = tag_rules({"tags": answer, "revisions": ["r1"]})
    assert found == ("r1", {"a": TagRule(), "b": TagRule(propagate=False, stops_on_mask=True, indirect=True)})


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"tags": [], "revisions": ["r1"]},
        {"tags": {}, "revisions": []},
        {"tags": {}, "revisions": ["r1"], "more": 1},
        *(
            {"tags": {"a": {**PLAIN, **changed}}, "revisions": ["r1"]}
            for changed in ({"propagate": "no"}, {"on_mask": True}, {"indirect": "x"}, {"colour": 1}, {"on_mask": []})
        ),
    ],
)
def test_what_is_no_rule_is_an_error(answer: Any) -> None:
    with pytest.raises(PolicyInvalid):
        tag_rules(answer)
