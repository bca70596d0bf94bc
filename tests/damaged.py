"""JSON of other services with one or a few members put away, doubled, or replaced by anything."""

import copy
from typing import Any

from hypothesis import strategies as st

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(st.characters(codec="utf-8"), max_size=12)
    | st.sampled_from(["", "APPROVE", "DENY", "apr_" + "0" * 32, "UBOB", "T1", "\x00", "\u202e", "$where", "{}"])
)
ANY: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """The same with up to three changes, each at any depth."""
    made = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        here = made
        while True:
            names: list[Any] = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            if isinstance(here[name], dict | list) and here[name] and draw(st.booleans()):
                here = here[name]
                continue
            if draw(st.booleans()):
                here[name] = draw(ANY)
            else:
                del here[name]
            break
    return made
