import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels.column import compact, merge
from tests.masker.columns import COLUMNS, back, column


@given(COLUMNS, st.data())
def test_compact_and_merge_lose_only_what_is_null(values, data):
    whole = column(values)
    flags = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    some = whole.only(np.array(flags, bool)) if values else whole
    kept = compact(some)
    assert back(kept) == [v if flag else None for v, flag in zip(values, flags, strict=True)]
    assert kept.offsets[-1] == sum(len(v.encode()) for v in back(kept) if v is not None)
    assert back(merge(kept, whole)) == values
