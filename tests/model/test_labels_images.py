"""Labels and images: unique, found by name, renamed, extended."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Images, Labels
from rapideval.errors import InputError
from rapideval.model import Extras

NAMES = st.lists(st.text(min_size=1, max_size=3), max_size=6, unique=True)


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("make", "rule", "where", "found"),
    [
        (lambda: Labels(["a", ""]), "label-name", "labels[1]", "''"),
        (lambda: Labels(["a", 3]), "label-name", "labels[1]", "3"),
        (lambda: Labels(["a", None]), "label-name", "labels[1]", "None"),
        (lambda: Labels(["a", "b", "a"]), "label-duplicate", "labels[2]", "'a', as labels[0]"),
        (lambda: Labels("cat"), "column-type", "labels", "one text, 'cat'"),
        (lambda: Labels(["a", "b"], [7, 7]), "label-id-duplicate", "labels[1].id", "7, as labels[0]"),
        (lambda: Labels(["a", "b"], [7]), "column-length", "labels.ids", "1 rows"),
        (lambda: Labels(["a"], supercategories=["x", "y"]), "column-length", "labels.supercategories", "2 rows"),
        (lambda: Labels(["a"], extras=Extras.empty(2)), "column-length", "labels.extras", "2 rows"),
        (lambda: Images(["a", ""]), "image-name", "images[1]", "''"),
        (lambda: Images([b"a"]), "image-name", "images[0]", "b'a'"),
        (lambda: Images("a.jpg"), "column-type", "images", "one text, 'a.jpg'"),
        (lambda: Images(["a", "b", "a"]), "image-duplicate", "images[2]", "'a', as images[0]"),
        (lambda: Images(ids=[3, 5, 3]), "image-id-duplicate", "images[2].id", "3, as images[0]"),
        (lambda: Images(["a"], [1, 2]), "column-length", "images.ids", "2 rows"),
        (lambda: Images(["a"], sizes=[[1, 2], [3, 4]]), "column-length", "images.sizes", "2 rows"),
        (lambda: Images(["a"], sizes=[[1, -2]]), "column-range", "images.sizes[0]", "[ 1 -2]"),
        (lambda: Images(["a"], extras=Extras.empty(0)), "column-length", "images.extras", "0 rows"),
    ],
)
def test_what_contradicts_itself_is_refused(make, rule, where, found):
    problem = problem_of(make)
    assert (problem.rule, problem.where, problem.found) == (rule, where, found)


# --- labels ----------------------------------------------------------------------------------------


def test_labels_are_equal_by_their_names():
    assert Labels(["a", "b"], [1, 2]) == Labels(["a", "b"], [7, 8])
    assert hash(Labels(["a", "b"], [1, 2])) == hash(Labels(["a", "b"]))
    assert Labels(["a", "b"]) != Labels(["b", "a"])
    assert Labels(["a"]) != ("a",)


def test_a_label_that_is_not_there_is_told_with_the_nearest_names():
    labels = Labels(["person", "bicycle"])
    with pytest.raises(KeyError, match="no label 'persn': did you mean 'person'"):
        labels.index("persn")
    with pytest.raises(KeyError, match="there are 2 labels"):
        labels.index("zebra")
    assert labels.get("zebra") is None
    assert "person" in labels
    assert 3 not in labels


def test_labels_are_rows_for_people_who_loop():
    labels = Labels(["a", "b"], [3, 4], ["x", None])
    assert [(item.index, item.name, item.id, item.supercategory) for item in labels] == [
        (0, "a", 3, "x"),
        (1, "b", 4, None),
    ]
    assert labels[-1].name == "b"
    with pytest.raises(IndexError):
        labels[2]


@given(NAMES, st.data())
def test_renaming_sends_each_label_to_its_new_name(names, data):
    renamed = st.sampled_from([*names, "new"])
    mapping = {name: data.draw(renamed) for name in names if data.draw(st.booleans())}
    labels = Labels(names, np.arange(5, 5 + len(names)))
    merged, place = labels.rename(mapping)
    assert [merged.names[new] for new in place] == [mapping.get(name, name) for name in names]
    assert set(merged.names) == {mapping.get(name, name) for name in names}


def test_renaming_a_label_that_is_not_there_is_refused():
    problem = problem_of(lambda: Labels(["cat"]).rename({"cta": "dog"}))
    assert (problem.rule, problem.found) == ("label-unknown", "'cta'")


def test_labels_that_become_one_keep_what_is_known_of_the_first():
    merged, place = Labels(["cat", "dog", "kitten"], [3, 4, 5], ["pet", "pet", "young"]).rename({"kitten": "cat"})
    assert (merged.names, merged.ids.tolist(), merged.supercategories) == (("cat", "dog"), [3, 4], ("pet", "pet"))
    assert place.tolist() == [0, 1, 0]


@given(NAMES, NAMES)
def test_extending_keeps_old_places_and_adds_each_new_name_once(names, more):
    labels = Labels(names, np.arange(10, 10 + len(names)), ["x"] * len(names), Extras.empty(len(names)))
    extended = labels.extended(more + more)
    assert extended.names == tuple(dict.fromkeys(names + more))
    assert extended.ids[: len(names)].tolist() == labels.ids.tolist()
    assert len(set(extended.ids.tolist())) == len(extended)
    assert labels.extended(names) is labels


def test_labels_taken_keep_their_columns():
    labels = Labels(["a", "b", "c"], [1, 2, 3], ["x", "y", "z"], Extras.from_dicts([{"n": 0}, {}, {"n": 2}]))
    taken = labels.take(np.array([2, 0]))
    assert (taken.names, taken.ids.tolist(), taken.supercategories) == (("c", "a"), [3, 1], ("z", "x"))
    assert [taken.extras[row] for row in range(2)] == [{"n": 2}, {"n": 0}]


# --- images ----------------------------------------------------------------------------------------


def test_images_are_called_by_name_else_by_id():
    assert Images(["a", "b"], [1, 2]).keys == ("a", "b")
    assert Images(ids=[7, 9]).keys == ("7", "9")
    assert Images(ids=[7, 9]).key(1) == "9"
    assert len(Images()) == 0


def test_images_may_share_a_name_where_ids_tell_them_apart():
    images = Images(["a", "a"], [1, 2])
    assert images.index("a") == 0
    assert [image.id for image in images] == [1, 2]


def test_an_image_that_is_not_there_is_told():
    with pytest.raises(KeyError, match="no image 'x' among 1"):
        Images(["a"]).index("x")


def test_sizes_not_known_are_none():
    images = Images(["a", "b", "c"], sizes=[[4, 5], [0, 0], [0, 7]])
    assert [(image.height, image.width) for image in images] == [(4, 5), (None, None), (None, 7)]
    assert images.sizes_known.tolist() == [True, False, False]
    assert images.with_sizes([[1, 1], [2, 2], [3, 3]]).sizes_known.all()


@given(NAMES, st.data())
def test_images_taken_keep_names_ids_and_sizes_together(names, data):
    count = len(names)
    sizes = np.arange(2 * count).reshape(-1, 2)
    images = Images(names, np.arange(count) + 100, sizes, Extras.from_dicts([{"n": row} for row in range(count)]))
    rows = np.array(data.draw(st.permutations(range(count))), np.int64)[: data.draw(st.integers(0, count))]
    taken = images.take(rows)
    assert taken.names == tuple(names[row] for row in rows)
    assert taken.ids.tolist() == (rows + 100).tolist()
    assert taken.sizes.tolist() == sizes[rows].tolist()
    assert [taken.extras[row] for row in range(len(rows))] == [{"n": row} for row in rows]
