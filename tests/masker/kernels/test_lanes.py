import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.aes import BlockCipher
from masker.kernels.column import text_from
from masker.kernels.lanes import LANES, LONG, Lanes, double, endings
from tests.masker import naive

KEY = bytes(range(32))
CIPHER = BlockCipher(KEY)
PLAIN = endings(CIPHER, double(double(CIPHER.block(bytes(16)))), bytes(16))


def macs(lanes, column):
    lanes.arrange(column.offsets, column.valid)
    made = lanes.mac(column, CIPHER, PLAIN)
    places = lanes.lane[: len(column)]
    return [made[place].tobytes() if place >= 0 else None for place in places.tolist()]


@given(st.lists(st.none() | st.binary(max_size=100) | st.just(bytes(LONG)), min_size=1, max_size=20))
def test_every_lane_has_the_cmac_of_its_value(values):
    column = text_from(values)
    lanes = Lanes()
    wanted = [None if value is None else naive.cmac(KEY, value) for value in values]
    assert macs(lanes, column) == wanted
    assert macs(lanes, column) == wanted  # what is left in the scratch does no harm


@given(st.lists(st.binary(max_size=100), min_size=1, max_size=20))
def test_longer_values_stand_in_lower_lanes_and_none_share_one(values):
    column = text_from(values)
    lanes = Lanes()
    lanes.arrange(column.offsets, column.valid)
    places = lanes.lane[: len(values)].tolist()
    blocks = [max(1, -(-len(value) // 16)) for value in values]
    assert sorted(places) == list(range(len(values)))
    assert [size for _, size in sorted(zip(places, blocks, strict=True))] == sorted(blocks, reverse=True)
    assert lanes.steps == max(blocks)
    assert np.diff(lanes.base[: lanes.steps + 1]).tolist() == [
        sum(size > n for size in blocks) for n in range(max(blocks))
    ]


def test_values_of_more_blocks_than_lanes_fit():
    count = LANES // (LONG // 16) + 3
    column = text_from([bytes([row]) * LONG for row in range(count)])
    made = macs(Lanes(), column)
    assert made[0] != made[7] == naive.cmac(KEY, bytes([7]) * LONG)


@given(st.binary(min_size=16, max_size=16))
def test_doubling_is_that_of_the_twin(block):
    assert double(block) == naive.double(block)


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=8), st.binary(min_size=16, max_size=16))
def test_the_keystream_counts_from_each_tag(values, tag):
    column, lanes = text_from(values), Lanes()
    lanes.arrange(column.offsets, column.valid)
    stream = lanes.keystream(np.frombuffer(tag * len(values), np.uint64).reshape(-1, 2), CIPHER)
    first = int.from_bytes(tag, "big") & ~(1 << 63 | 1 << 31)
    for row, value in enumerate(values):
        for step in range(-(-len(value) // 16)):
            made = stream[lanes.base[step] + lanes.lane[row]].tobytes()
            assert made == naive.aes(KEY, (first + step).to_bytes(16, "big"))
