"""What all columns keep: type, shape, immutability; ragged extras."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from helpers.random_datasets import datasets
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.errors import InputError
from rapideval.model import Extras
from rapideval.model.columns import column, row_numbers


def arrays_in(value):
    """All arrays that an object of the model holds, by their path."""
    found = {}
    for name in type(value).__slots__:
        part = getattr(value, name)
        if isinstance(part, np.ndarray):
            found[name] = part
        elif hasattr(type(part), "__slots__") and type(part).__module__.startswith("rapideval.model"):
            found |= {f"{name}.{inner}": array for inner, array in arrays_in(part).items()}
    return found


# --- one column ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "options", "rule", "found"),
    [
        ([[1, 2]], np.int32, {}, "column-shape", "an array of shape (1, 2)"),
        ([1, 2], np.float64, {"width": 4}, "column-shape", "an array of shape (2,)"),
        ([[1, 2, 3]], np.float64, {"width": 4}, "column-shape", "an array of shape (1, 3)"),
        (np.zeros((5, 0), int), np.float64, {"width": 4}, "column-shape", "an array of shape (5, 0)"),
        (np.zeros((5, 0), int), np.float64, {}, "column-shape", "an array of shape (5, 0)"),
        (3, np.int32, {}, "column-shape", "an array of shape ()"),
        ([1, 2, 3], np.int32, {"length": 2}, "column-length", "3 rows"),
        ([1.5], np.int32, {}, "column-range", "1.5"),
        ([0, 2**40], np.int32, {}, "column-range", str(2**40)),
        ([float("nan")], np.int64, {}, "column-range", "nan"),
        ([-1], np.uint32, {}, "column-range", "-1"),
        ([2], np.bool_, {}, "column-range", "2"),
        ([True], np.int32, {}, "column-type", "an array of bool"),
        (["a"], np.int32, {}, "column-type", "an array of <U1"),
        ([None], np.float64, {}, "column-type", "an array of object"),
        ([1j], np.float64, {}, "column-type", "an array of complex128"),
        (np.array([2**63], np.uint64), np.int64, {}, "column-range", str(2**63)),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused_with_what_was_found(value, dtype, options, rule, found):
    with pytest.raises(InputError) as caught:
        column(value, dtype, "things", **options)
    problem = caught.value.problems[0]
    assert problem.rule == rule
    assert problem.where.startswith("things")
    assert problem.found == found


def test_the_first_value_out_of_range_is_named():
    with pytest.raises(InputError, match=r"things\[2\]: found 2\.5"):
        column([1, 2, 2.5, 9.5], np.int64, "things")


@pytest.mark.parametrize("empty", [[], (), np.empty(0, np.int8), np.empty((0, 7), np.float64), [[]][:0]])
def test_nothing_is_a_column_of_any_kind(empty):
    assert column(empty, np.int32, "things").shape == (0,)
    assert column(empty, np.float64, "things", width=4).shape == (0, 4)


def test_an_array_of_the_right_kind_is_not_copied_but_cannot_be_written_through():
    array = np.arange(4.0)
    view = column(array, np.float64, "things")
    assert np.shares_memory(array, view)
    assert array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 5


def test_strided_arrays_become_contiguous():
    assert column(np.arange(8.0)[::2], np.float64, "things").flags.c_contiguous


# --- which rows ------------------------------------------------------------------------------------


@given(st.integers(0, 9), st.data())
def test_rows_are_chosen_by_number_mask_or_slice_alike(length, data):
    chosen = data.draw(st.lists(st.integers(-length, length - 1), max_size=9)) if length else []
    values = np.arange(length)
    assert row_numbers(chosen, length).tolist() == values[np.array(chosen, np.int64)].tolist()
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=length, max_size=length)), np.bool_)
    assert row_numbers(mask, length).tolist() == values[mask].tolist()
    cut = slice(*data.draw(st.tuples(*[st.none() | st.integers(-9, 9)] * 2, st.none() | st.sampled_from([-2, -1, 2]))))
    assert row_numbers(cut, length).tolist() == values[cut].tolist()


@pytest.mark.parametrize("rows", [[3], [-4], [0.5], ["a"], [[0]], np.ones(2, bool), np.ones(4, bool)])
def test_rows_that_are_not_there_are_refused(rows):
    with pytest.raises(IndexError):
        row_numbers(np.asarray(rows), 3)


# --- immutable, copied, pickled --------------------------------------------------------------------


@given(datasets())
def test_no_attribute_and_no_array_of_a_dataset_can_be_changed(data):
    for part in (data, data.images, data.labels, data.annotations):
        with pytest.raises(AttributeError, match="immutable"):
            part.images = None
        with pytest.raises(AttributeError, match="immutable"):
            del part.names
    assert not [name for name, array in arrays_in(data).items() if array.flags.writeable]


@pytest.mark.parametrize("again", [lambda d: pickle.loads(pickle.dumps(d)), copy.copy, copy.deepcopy])
@given(data=datasets())
def test_a_copy_is_equal_and_as_immutable(again, data):
    twin = again(data)
    assert twin.fingerprint() == data.fingerprint()
    assert repr(twin) == repr(data)
    ours, theirs = arrays_in(data), arrays_in(twin)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert np.array_equal(array, theirs[name]), name
        assert not theirs[name].flags.writeable, name


def test_an_index_built_before_pickling_still_works():
    images = Images(["a", "b"])
    assert images.index("b") == 1
    assert pickle.loads(pickle.dumps(images)).index("b") == 1


# --- extras ----------------------------------------------------------------------------------------

JSON = st.dictionaries(
    st.text(max_size=4),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    max_size=3,
)


@given(st.lists(st.none() | JSON, max_size=5))
def test_extras_give_back_what_they_were_made_of(rows):
    extras = Extras.from_dicts(rows)
    assert [extras[row] for row in range(len(extras))] == [row or {} for row in rows]
    assert extras.present.tolist() == [bool(row) for row in rows]


def test_half_a_surrogate_pair_survives_as_an_escape():
    extras = Extras.from_dicts([{"name": "\ud83d"}])
    assert extras[0] == {"name": "\ud83d"}
    assert b"\\ud83d" in extras.text(0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_extras_that_json_cannot_hold_are_refused(value):
    with pytest.raises(InputError, match=r"extras\[1\].*extras-json"):
        Extras.from_dicts([{}, {"x": value}])


@given(st.lists(JSON, max_size=5), st.lists(JSON, max_size=5), st.data())
def test_extras_taken_and_joined_are_those_of_the_rows(first, second, data):
    joined = Extras.concat([Extras.from_dicts(first), Extras.from_dicts(second)])
    both = first + second
    rows = data.draw(st.lists(st.integers(0, len(both) - 1), max_size=6)) if both else []
    taken = joined.take(np.array(rows, np.int64))
    assert [taken[row] for row in range(len(rows))] == [both[row] for row in rows]


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 3], [0, 2, 1, 2]])
def test_extras_whose_offsets_do_not_fit_are_refused(offsets):
    with pytest.raises(InputError, match="column-offsets"):
        Extras(b"{}", offsets)


def test_what_the_objects_call_themselves():
    assert repr(Extras.from_dicts([{"a": 1}, {}])) == "Extras(2 rows, 1 with fields, 7 bytes)"
    assert repr(Labels(list("abcdefgh"))) == "Labels(8: a, b, c, d, e, f, … 2 more)"
    assert repr(Images(["a", "b", "c", "d"])) == "Images(4: a, b, c, …)"
    assert repr(Masks.empty(2)) == "Masks(2 rows, 0 runs)"
    assert repr(Polygons.empty(2)) == "Polygons(2 rows, 0 rings, 0 of them holes)"
    rows = Annotations([0], [0], [[0, 0, 1, 1]], [0.5], crowd=[True])
    assert repr(rows) == "Annotations(1 rows with box, score; 1 crowd)"
    assert repr(Dataset(Images(["a"]), Labels(["x"]), rows)) == "Dataset(1 image, 1 label, 1 prediction)"
    assert repr(Dataset(Images(), Labels(), Annotations.empty())) == "Dataset(0 images, 0 labels, 0 annotations)"
