"""COCO's compressed strings: pycocotools is the oracle."""

import itertools

import numpy as np
import pytest
from helpers.masks import columns, split
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from rapideval import _core

# pycocotools has room for six characters a run and none for the end of the string, so it is asked for at most five.
run = st.one_of(st.integers(0, 40), st.integers(0, 2000), st.integers(0, 2**24 - 1))
runs = st.lists(run, min_size=1, max_size=150)
rows = st.lists(runs, max_size=6)


def sized(rows):
    return columns(rows, [(sum(row), 1) for row in rows])


def texts_of(text, offsets):
    return [text[a:b] for a, b in itertools.pairwise(offsets.tolist())]


def read(*strings, sizes):
    offsets = np.cumsum([0, *map(len, strings)])
    return _core.rle_from_strings(b"".join(strings), offsets, np.array(sizes, np.uint32).reshape(-1, 2))


@given(rows)
def test_strings_are_byte_equal_to_pycocotools(rows):
    counts, offsets, _ = columns(rows, [(1, 1)] * len(rows))
    expected = [coco.frPyObjects({"size": [1, 1], "counts": row}, 1, 1)["counts"] for row in rows]
    assert texts_of(*_core.rle_to_strings(counts, offsets)) == expected


@given(st.lists(st.lists(st.one_of(st.integers(0, 60), st.integers(0, 2**31)), max_size=90), max_size=6))
def test_a_string_gives_back_its_runs(rows):
    rows = [row if sum(row) < 2**32 else row[:1] for row in rows]
    masks = sized(rows)
    text, text_offsets = _core.rle_to_strings(*masks[:2])
    counts, offsets = _core.rle_from_strings(text, text_offsets, masks[2])
    assert split(counts, offsets) == rows
    for alone, row in zip(texts_of(text, text_offsets), rows, strict=True):
        assert read(alone, sizes=[(sum(row), 1)])[0].tolist() == row


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview, lambda text: np.frombuffer(text, np.uint8)])
def test_any_buffer_of_bytes_is_read(buffer):
    counts, _ = _core.rle_from_strings(buffer(b"31"), np.array([0, 2]), np.array([[2, 2]], np.uint32))
    assert counts.tolist() == [3, 1]


def test_groups_that_could_be_left_out_are_read():
    assert read(b"3P0Q0", sizes=[(2, 2)])[0].tolist() == [3, 0, 1]


def test_any_number_of_threads_gives_the_same_bytes():
    rng = np.random.default_rng(3)
    masks = sized([rng.integers(0, 3000, n) for n in rng.integers(0, 200, 700)])
    text, offsets = _core.rle_to_strings(*masks[:2], 1)
    for threads in (2, 3):
        again, again_offsets = _core.rle_to_strings(*masks[:2], threads)
        assert again == text
        assert again_offsets.tolist() == offsets.tolist()
        counts, _ = _core.rle_from_strings(text, offsets, masks[2], threads)
        assert counts.tobytes() == masks[0].tobytes()


@pytest.mark.parametrize(
    ("text", "rule", "offset"),
    [
        (b"4 ", "rle-string", 1),
        (b"4\x00", "rle-string", 1),
        (b"p", "rle-string", 0),
        (b"\xff4", "rle-string", 0),
        (b"1" * 70 + b"\xb4", "rle-string", 70),
        (b"4P", "rle-string", 1),  # ends inside a number
        (b"4" + b"o" * 80, "rle-string", 1),
        (b"4" + b"P" * 7 + b"0", "rle-string", 1),  # eight groups
        (b"@", "rle-string", 0),  # -16
        (b"000@", "rle-string", 3),
        (b"PPPPPP4", "rle-string", 0),  # 2**32
        (b"ooooooo0", "rle-string", 0),
        (b"5", "rle-sum", None),
        (b"3", "rle-sum", None),
        (b"", "rle-sum", None),
        (b"ooooooO" * 3, "rle-string", 0),
        (b"0" + b"oooooo3" * 5, "rle-string", 15),
    ],
)
def test_what_is_no_string_of_the_size_is_refused(text, rule, offset):
    good = b"31"
    with pytest.raises(_core.CoreError) as caught:
        read(good, text, good, sizes=[(2, 2)] * 3)
    assert (caught.value.rule, caught.value.row) == (rule, 1)
    assert caught.value.offset == (None if offset is None else len(good) + offset)
    assert caught.value.found
    assert caught.value.expected


def test_a_short_string_that_claims_a_huge_image_is_refused():
    with pytest.raises(_core.CoreError) as caught:
        read(b"0", sizes=[(2**31, 2**31)])
    assert caught.value.rule == "mask-size"
    with pytest.raises(_core.CoreError) as caught:
        read(b"0", sizes=[(10**6, 4000)])
    assert caught.value.rule == "rle-sum"


def test_text_offsets_that_do_not_fit_are_refused():
    sizes = np.array([[2, 2]], np.uint32)
    for offsets in ([0, 3], [1, 2], [], [0, 1], [2, 0], [0, -1]):
        with pytest.raises(_core.CoreError) as caught:
            _core.rle_from_strings(b"31", np.array(offsets, np.int64), sizes)
        assert caught.value.rule == "rle-offsets"
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_from_strings(b"31", np.array([0, 1, 2]), sizes)
    assert caught.value.rule == "rle-sizes"


@given(st.binary(max_size=300), st.integers(0, 300))
def test_random_bytes_are_read_or_refused(text, height):
    try:
        counts, _ = read(text, sizes=[(height, 1)])
    except _core.CoreError as error:
        assert error.rule in {"rle-string", "rle-sum"}  # noqa: PT017
    else:
        assert counts.sum(dtype=np.uint64) == height
