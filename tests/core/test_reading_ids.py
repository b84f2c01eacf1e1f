"""Ids are found in a table of ids, however they lie, and a table with an id twice is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval import _core

BOUND = 2**63
anywhere = st.integers(-BOUND, BOUND - 1)
nearby = st.integers(-50, 50)
extremes = st.sampled_from([-BOUND, -BOUND + 1, -1, 0, 1, BOUND - 2, BOUND - 1])
one_id = st.one_of(anywhere, nearby, extremes)


@given(st.lists(one_id, unique=True, max_size=40), st.lists(one_id, max_size=60), st.data())
def test_each_id_is_found_where_it_stands(keys, values, data):
    if keys:
        values += data.draw(st.lists(st.sampled_from(keys), max_size=20))
    rows = _core.index_ids(np.array(values, np.int64), np.array(keys, np.int64))
    assert rows.dtype == np.int32
    assert rows.tolist() == [keys.index(value) if value in keys else -1 for value in values]


@pytest.mark.parametrize("spread", [1, 100, 10**12])
def test_many_ids_for_any_number_of_threads(spread):
    random = np.random.default_rng(0)
    keys = random.permutation(5000).astype(np.int64) * spread - 7
    values = np.concatenate([random.choice(keys, 400_000), random.integers(-(2**60), 2**60, 1000)])
    order = np.argsort(keys)
    at = np.minimum(np.searchsorted(keys, values, sorter=order), len(keys) - 1)
    want = np.where(keys[order[at]] == values, order[at], -1)
    for threads in (1, 2, 5):
        np.testing.assert_array_equal(_core.index_ids(values, keys, threads=threads), want)


@pytest.mark.parametrize(("keys", "row"), [([1, 2, 3, 2, 1], 3), ([10**15, -(10**15), 5, 10**15, 5], 3)])
def test_an_id_that_stands_twice_is_refused_with_its_row(keys, row):
    with pytest.raises(_core.CoreError) as caught:
        _core.index_ids(np.zeros(1, np.int64), np.array(keys, np.int64))
    assert (caught.value.rule, caught.value.row) == ("duplicate-id", row)
    assert str(keys[row]) in caught.value.found
