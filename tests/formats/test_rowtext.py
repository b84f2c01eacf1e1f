"""Columns become the text that Python's own formatting gives, and read back as the same values."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import _core
from rapideval.formats.rowtext import Column, Texts, floats, integers, json_objects, rows_of, strings, texts
from rapideval.model import Extras


def lines(texts):
    data, offsets = texts.data.tobytes(), texts.offsets.tolist()
    return [data[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(offsets)]


def numbers(values):
    values = np.array(values, float)
    return lines(rows_of([b"", b""], [floats(values)], len(values)))


def plain(value):
    """What the docstring says, in Python."""
    if value.is_integer() and abs(value) < 1e16 and not (value == 0 and math.copysign(1, value) < 0):
        return str(int(value))
    return repr(value)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60).map(float)))
def test_numbers_are_the_shortest_that_read_back(values):
    assert numbers(values) == [plain(value) for value in values]


def test_numbers_at_the_edges():
    values = [0.0, -0.0, 1e16, 1e16 - 2, 1e15, -258.0, 0.1, 1 / 3, 1e-4, 9.9e-5, 5e-324, 1.7976931348623157e308, 1e22]
    assert numbers(values) == [plain(value) for value in values]
    assert numbers([258.0, -0.0, 1e-05]) == ["258", "-0.0", "1e-05"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused_with_their_row(value):
    with pytest.raises(_core.CoreError) as error:
        numbers([1, 2, value])
    assert (error.value.rule, error.value.row) == ("not-finite", 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text()))
def test_strings_are_json(values):
    values = [value.encode("utf-8", "replace").decode() for value in values]
    written = lines(rows_of([b"", b""], [strings(values)], len(values)))
    assert [json.loads(text) for text in written] == values


def test_rows_leave_out_what_is_absent_together_with_its_literal():
    have = np.array([True, False])
    rows = json_objects([("a", integers([1, 2])), ("b", floats(np.array([[0.5, 2], [3, 4]]), have))], 2)
    assert lines(rows) == ['{"a":1,"b":[0.5,2]}', '{"a":2}']


def test_an_index_chooses_values():
    names = strings(["cat", "dog"], np.array([1, 1, 0], np.int32))
    assert lines(rows_of([b"<", b">"], [names], 3)) == ['<"dog">', '<"dog">', '<"cat">']


def test_members_of_extras_follow_the_others():
    extras = Extras.from_dicts([{"x": 1, "y": "}"}, {}, None])
    assert lines(json_objects([("a", integers([1, 2, 3]))], 3, extras)) == [
        '{"a":1,"x":1,"y":"}"}',
        '{"a":2}',
        '{"a":3}',
    ]


def test_texts_are_joined_by_groups():
    points = rows_of([b"", b""], [Column("float", np.array([[0.0, 1], [2, 3], [4, 5]]))], 3)
    rings = points.arrays(np.array([0, 2, 2, 3]))
    assert lines(rings) == ["[0,1,2,3]", "[]", "[4,5]"]
    assert lines(rings.joined(np.array([0, 1, 3]), b"<", b" ", b">\n")) == ["<[0,1,2,3]>\n", "<[] [4,5]>\n"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_text_does_not_depend_on_threads(threads):
    rng = np.random.default_rng(0)
    values = rng.random((20_000, 3)) * 1000
    columns = [Column("int", np.arange(20_000)), Column("float-array", values)]
    data, offsets = _core.format_rows([b"", b" ", b"\n"], columns, 20_000, threads=threads)
    assert data.tobytes().decode() == "".join(
        f"{i} [{','.join(map(plain, row))}]\n" for i, row in enumerate(values.tolist())
    )
    assert offsets[-1] == len(data)


@pytest.mark.parametrize(
    ("literals", "column", "rule"),
    [
        ([b""], Column("int", np.arange(2)), "text-literals"),
        ([b"", b""], Column("int", np.arange(3)), "text-column"),
        ([b"", b""], Column("float", np.arange(2)), "text-column"),
        ([b"", b""], Column("word", np.arange(2)), "text-column"),
        ([b"", b""], Column("int", np.arange(3), None, np.array([0, 3], np.int32)), "text-index"),
        ([b"", b""], Column("int", np.arange(3), None, np.array([0, -1], np.int32)), "text-index"),
        ([b"", b""], Column("int", np.arange(2), None, None, np.array([True])), "text-column"),
        ([b"", b""], Column("text", np.zeros(3, np.uint8), np.array([0, 1, 4])), "text-offsets"),
        ([b"", b""], Column("text", np.zeros(3, np.uint8), np.array([0, 2, 1, 3])), "text-offsets"),
        ([b"", b""], Column("members", *Texts.of(["{}", "[1]"])), "text-members"),
    ],
)
def test_columns_that_do_not_fit_are_refused(literals, column, rule):
    with pytest.raises(_core.CoreError) as error:
        _core.format_rows(literals, [column], 2)
    assert error.value.rule == rule


def test_groups_that_do_not_fit_are_refused():
    for groups in ([0, 3], [1, 2], [0, 2, 1], []):
        with pytest.raises(_core.CoreError, match="groups"):
            Texts.of(["a", "b"]).joined(np.array(groups, np.int64), b"", b"", b"")


def test_plain_text_is_written_as_it_is():
    assert lines(rows_of([b"", b""], [texts(Texts.of(['a"\\', ""]))], 2)) == ['a"\\', ""]
