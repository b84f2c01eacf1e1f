"""Annotations: what is refused, what is derived, what taking and joining keep."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.random_datasets import datasets
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Annotations, Masks, Polygons
from rapideval.errors import InputError
from rapideval.model import Extras, Source

BOX = [[1, 2, 3, 4]]
SQUARE = np.array([[[0, 1, 1], [0, 1, 1]]], bool)


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("columns", "rule", "where"),
    [
        ({"label": [0, 1]}, "column-length", "label"),
        ({"box": [[1, 2, 3]]}, "column-shape", "box"),
        ({"box": BOX * 2}, "column-length", "box"),
        ({"score": [0.5, 0.5]}, "column-length", "score"),
        ({"area": []}, "column-length", "area"),
        ({"crowd": [True, False]}, "column-length", "crowd"),
        ({"crowd": [2]}, "column-range", "crowd[0]"),
        ({"ids": [1, 2]}, "column-length", "ids"),
        ({"masks": Masks.empty(2)}, "column-length", "masks"),
        ({"polygons": Polygons.empty(0)}, "column-length", "polygons"),
        ({"source": Source(["f"], [1, 2])}, "column-length", "source"),
        ({"extras": Extras.empty(3)}, "column-length", "extras"),
        ({"image": [-1]}, "column-range", "image[0]"),
        ({"label": [-1]}, "column-range", "label[0]"),
        ({"image": [0.5]}, "column-range", "image[0]"),
        ({"image": ["a"]}, "column-type", "image"),
        ({"box": [[1, 2, np.nan, 4]]}, "not-finite", "box[0]"),
        ({"box": [[1, 2, np.inf, 4]]}, "not-finite", "box[0]"),
        ({"score": [np.nan]}, "not-finite", "score[0]"),
        ({"area": [-np.inf]}, "not-finite", "area[0]"),
        ({"box": None}, "box-missing", "box"),
        ({"box": None, "masks": Masks.empty(1)}, "box-missing", "box[0]"),
        ({"box": None, "polygons": Polygons.empty(1)}, "box-missing", "box[0]"),
    ],
)
def test_columns_that_do_not_hold_are_refused(columns, rule, where):
    problem = problem_of(lambda: Annotations(**({"image": [0], "label": [0], "box": BOX} | columns)))
    assert (problem.rule, problem.where) == (rule, where)


def test_all_rows_that_are_not_finite_are_counted():
    boxes = np.ones((5, 4))
    boxes[2, 1] = np.inf
    boxes[4, 0] = np.nan
    problem = problem_of(lambda: Annotations([0] * 5, [0] * 5, boxes))
    assert (problem.where, "2 rows" in problem.expected) == ("box[2]", True)


def test_numbers_whose_sum_overflows_are_finite_all_the_same():
    rows = Annotations([0, 0], [0, 0], [[1.7e308, 0, 0, 0]] * 2, area=[1.0, 1.0])
    assert rows.box[0, 0] == 1.7e308


def test_an_area_beyond_all_numbers_is_refused():
    problem = problem_of(lambda: Annotations([0], [0], [[0, 0, 1e200, 1e200]]))
    assert (problem.rule, problem.where) == ("not-finite", "area[0]")


def test_infinities_that_cancel_are_seen():
    assert problem_of(lambda: Annotations([0], [0], [[np.inf, -np.inf, 1, 1]])).rule == "not-finite"


# --- derived ---------------------------------------------------------------------------------------


def test_without_area_it_is_the_boxes():
    rows = Annotations([0], [0], [[0.5, 0.5, 2.5, 3]])
    assert rows.area.tolist() == [7.5]
    assert rows.derived == {"area", "crowd"}
    assert rows.crowd.tolist() == [False]


def test_with_masks_it_is_theirs_where_there_is_one():
    masks = Masks.from_dense(SQUARE).spread(np.array([1]), 2)
    rows = Annotations([0, 0], [0, 0], [[0, 0, 9, 9]] * 2, masks=masks)
    assert rows.area.tolist() == [81.0, 4.0]


def test_without_boxes_they_are_those_of_masks_then_of_outlines():
    masks = Masks.from_dense(SQUARE).spread(np.array([0]), 2)
    polygons = Polygons.from_rings([[[5, 5, 9, 5, 9, 9]], [[1, 1, 4, 1, 4, 3]]])
    rows = Annotations([0, 0], [0, 0], masks=masks, polygons=polygons)
    assert rows.box.tolist() == [[1, 0, 2, 2], [1, 1, 3, 2]]
    assert rows.derived == {"area", "box", "crowd"}
    assert rows.area.tolist() == [4.0, 6.0]


def test_what_the_source_did_not_give_may_be_said():
    assert "ids" in Annotations([0], [0], BOX, ids=[1], derived=["ids"]).derived


def test_a_replaced_column_is_no_longer_derived_and_what_hangs_on_it_is_derived_again():
    rows = Annotations([0], [0], BOX)
    assert rows.replace(area=[5]).derived == {"crowd"}
    moved = rows.replace(box=[[0, 0, 10, 10]])
    assert moved.area.tolist() == [100.0]
    assert "area" in moved.derived
    given_area = Annotations([0], [0], BOX, area=[7]).replace(box=[[0, 0, 10, 10]])
    assert given_area.area.tolist() == [7.0]


def test_a_derived_box_follows_a_new_mask():
    rows = Annotations([0], [0], masks=Masks.from_dense(SQUARE))
    other = rows.replace(masks=Masks.from_dense(np.ones((1, 2, 3), bool)))
    assert other.box.tolist() == [[0, 0, 3, 2]]
    assert other.area.tolist() == [6.0]
    assert other.derived == rows.derived


def test_a_column_that_is_not_there_cannot_be_replaced():
    with pytest.raises(TypeError, match="no column 'boxes': there are area, box"):
        Annotations([0], [0], BOX).replace(boxes=BOX)


# --- rows ------------------------------------------------------------------------------------------


@given(datasets(), st.data())
def test_taking_twice_is_taking_once(data, choice):
    rows = data.annotations
    numbers = st.lists(st.integers(0, len(rows) - 1), max_size=6) if len(rows) else st.just([])
    first = np.array(choice.draw(numbers), np.int64)
    again = st.lists(st.integers(0, len(first) - 1), max_size=6) if len(first) else st.just([])
    second = np.array(choice.draw(again), np.int64)
    assert data.take(first).take(second).fingerprint() == data.take(first[second]).fingerprint()
    assert data.take(first).annotations.derived == rows.derived


@given(datasets(), st.data())
def test_joining_and_cutting_gives_the_parts_back(data, choice):
    cut = choice.draw(st.integers(0, len(data)))
    head, tail = data.take(slice(cut)), data.take(slice(cut, None))
    joined = Annotations.concat([head.annotations, tail.annotations])
    assert data.replace(annotations=joined).fingerprint() == data.fingerprint()
    assert [joined.where(row) for row in range(len(joined))] == [
        data.annotations.where(row) for row in range(len(data))
    ]


def test_joining_fills_masks_outlines_and_extras_that_a_part_has_not():
    plain = Annotations([0], [0], BOX)
    rich = Annotations(
        [0],
        [0],
        BOX,
        masks=Masks.from_dense(SQUARE),
        polygons=Polygons.from_rings([[[0, 0, 1, 0, 1, 1]]]),
        extras=Extras.from_dicts([{"a": 1}]),
    )
    joined = Annotations.concat([plain, rich])
    assert joined.masks.present.tolist() == [False, True]
    assert joined.polygons.present.tolist() == [False, True]
    assert joined.extras[1] == {"a": 1}


def test_joining_truth_and_predictions_is_refused():
    rows = [Annotations([0], [0], BOX), Annotations([0], [0], BOX, [0.5])]
    assert problem_of(lambda: Annotations.concat(rows)).rule == "score-missing"


def test_joining_with_nothing_keeps_the_other():
    scored = Annotations([0], [0], BOX, [0.5])
    assert Annotations.concat([Annotations.empty(), scored]).score.tolist() == [0.5]
    assert len(Annotations.concat([])) == 0
    assert Annotations.concat([Annotations.empty(scored=True)]).score is not None


def test_ids_that_would_stand_twice_are_dropped():
    first, second = Annotations([0], [0], BOX, ids=[1]), Annotations([0], [0], BOX, ids=[2])
    assert Annotations.concat([first, second]).ids.tolist() == [1, 2]
    assert Annotations.concat([first, first]).ids is None
    assert Annotations.concat([first, Annotations([0], [0], BOX)]).ids is None


# --- where they were read --------------------------------------------------------------------------


def test_the_place_of_a_row_is_that_of_its_document():
    source = Source(["a.json: $[{row}]", "b.txt: line {row}"], [4, 9], [0, 1])
    rows = Annotations([0, 0], [0, 0], BOX * 2, source=source)
    assert [rows.where(0), rows.where(1)] == ["a.json: $[4]", "b.txt: line 9"]
    assert rows.take([1]).where(0) == "b.txt: line 9"
    assert Annotations([0], [0], BOX).where(0) == "annotations[0]"


def test_sources_joined_share_their_origins():
    one, two = Source(["a: {row}", "b: {row}"], [1, 2], [1, 0]), Source(["b: {row}"], [7])
    joined = Source.concat([one, two])
    assert [joined.where(row) for row in range(3)] == ["b: 1", "a: 2", "b: 7"]
    assert joined.origins == ("a: {row}", "b: {row}")


@pytest.mark.parametrize(("origins", "row", "origin"), [(["a"], [1], [1]), (["a"], [1], [-1]), ([], [1], None)])
def test_an_origin_that_is_not_there_is_refused(origins, row, origin):
    assert problem_of(lambda: Source(origins, row, origin)).rule == "column-range"


def test_a_file_name_with_braces_is_not_a_template():
    assert Source(["{x}{row}"], [3]).where(0) == "{x}3"
