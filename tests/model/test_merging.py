"""Datasets of several sources as one: names, numbers, and what they do not agree on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels
from rapideval.errors import InputError, UsageError
from rapideval.model import Extras
from rapideval.model.merging import merge


def dataset(images, labels=("cat",), ids=None, image_ids=None, label_ids=None, **more):
    """One annotation an image, its box told by the image's place, its label in turn."""
    count = len(images)
    rows = Annotations(range(count), [n % len(labels) for n in range(count)], [[n, 0, 5, 5] for n in range(count)])
    if ids is not None:
        rows = rows.replace(ids=ids)
    names = None if images and images[0] is None else images
    return Dataset(Images(names, image_ids, more.get("sizes")), Labels(labels, label_ids), rows, more.get("info"))


def test_different_images_are_put_together_and_labels_united_by_name():
    one = dataset(["a.jpg", "b.jpg"], ["cat", "dog"])
    two = dataset(["c.jpg", "d.jpg"], ["dog", "bird"])
    whole, keys = merge([("one", one), ("two", two)])
    assert whole.images.keys == ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    assert whole.labels.names == ("cat", "dog", "bird")
    assert [row.label for row in whole] == ["cat", "dog", "dog", "bird"]
    assert keys == [("a.jpg", "b.jpg"), ("c.jpg", "d.jpg")]
    assert not whole.notes


def test_an_image_of_two_sources_is_refused_with_both_named():
    one, two = dataset(["a.jpg", "b.jpg"]), dataset(["b.jpg", "a.jpg", "c.jpg"])
    with pytest.raises(InputError) as caught:
        merge([("one.json", one), ("two.json", two)])
    (problem,) = caught.value.problems
    assert problem.rule == "image-twice"
    assert problem.where == "two.json: image 'b.jpg'"
    assert "one.json" in problem.found
    assert problem.count == 2
    assert "--same-images join" in problem.hint


def test_joined_images_have_the_annotations_of_all():
    one, two = dataset(["a.jpg"], ["cat"]), dataset(["a.jpg"], ["dog"])
    whole = merge([("one", one), ("two", two)], same_images="join").dataset
    assert [(row.image, row.label) for row in whole] == [("a.jpg", "cat"), ("a.jpg", "dog")]
    assert not whole.notes


def test_the_same_object_of_two_sources_is_told():
    one, two = dataset(["a.jpg", "b.jpg"]), dataset(["b.jpg", "a.jpg"])
    whole = merge([("one", one), ("two", dataset(["a.jpg", "b.jpg"]))], same_images="join").dataset
    (note,) = whole.notes
    assert (note.rule, note.severity, note.count, note.where) == ("annotation-twice", "warning", 2, "two")
    assert not merge([("one", one), ("two", two)], same_images="join").dataset.notes


def test_other_images_of_one_name_are_renamed_and_told():
    one, two = dataset(["x/a.jpg", "a-2.jpg", "b"]), dataset(["x/a.jpg", "b", "c.jpg"])
    three = dataset(["x/a.jpg"])
    whole, keys = merge([("one", one), ("two", two), ("three", three)], same_images="rename")
    assert keys[1:] == [("x/a-2.jpg", "b-2", "c.jpg"), ("x/a-3.jpg",)]
    assert len(whole.images) == 7
    assert [row.image for row in whole] == [key for part in keys for key in part]
    assert [(note.rule, note.where, note.count) for note in whole.notes] == [
        ("image-renamed", "two", 2),
        ("image-renamed", "three", 1),
    ]
    taken = merge([("one", dataset(["a.jpg", "a-2.jpg"])), ("two", dataset(["a.jpg"]))], same_images="rename")
    assert taken.keys[1] == ("a-2-2.jpg",)


def test_numbers_stay_where_they_do_not_clash():
    one = dataset(["a.jpg"], ["cat"], [5], [7], [1])
    two = dataset(["b.jpg"], ["dog"], [6], [9], [2])
    whole = merge([("one", one), ("two", two)]).dataset
    assert whole.images.ids.tolist() == [7, 9]
    assert whole.labels.ids.tolist() == [1, 2]
    assert whole.annotations.ids.tolist() == [5, 6]
    assert not whole.notes


def test_only_numbers_that_clash_are_new_and_that_is_told():
    one = dataset(["a.jpg", "b.jpg"], ["cat", "dog"], [5, 8], [7, 8], [1, 2])
    two = dataset(["c.jpg", "d.jpg"], ["dog", "bird"], [5, 6], [8, 20], [1, 2])
    whole = merge([("one", one), ("two", two)]).dataset
    assert whole.images.ids.tolist() == [7, 8, 21, 20]
    assert whole.labels.ids.tolist() == [1, 2, 3]  # dog keeps its 2, bird cannot have it
    assert whole.annotations.ids.tolist() == [5, 8, 9, 6]
    assert [(note.rule, note.severity, note.count) for note in whole.notes] == [
        ("image-ids", "info", 1),
        ("label-ids", "info", 1),
        ("annotation-ids", "info", 1),
    ]


def test_what_has_no_number_among_others_that_have_one_gets_one():
    whole = merge([("one", dataset(["a.jpg"])), ("two", dataset(["b.jpg"], ids=[3], image_ids=[4]))]).dataset
    assert whole.images.ids.tolist() == [5, 4]
    assert whole.annotations.ids.tolist() == [4, 3]
    assert {note.rule for note in whole.notes} == {"image-ids", "annotation-ids"}


def test_numbers_too_high_for_json_are_not_made():
    high = (1 << 53) - 1
    one, two = dataset(["a.jpg"], ids=[high]), dataset(["b.jpg"], ids=[high])
    assert merge([("one", one), ("two", two)]).dataset.annotations.ids.tolist() == [high, 1]


def test_images_of_numbers_only_are_joined_by_number_or_refused():
    one, two = dataset([None], image_ids=[1]), dataset([None], image_ids=[1])
    with pytest.raises(InputError, match="image '1'"):
        merge([("one", one), ("two", two)])
    whole = merge([("one", one), ("two", two)], same_images="join").dataset
    assert whole.images.names is None
    assert whole.images.ids.tolist() == [1]
    with pytest.raises(InputError, match="--ground-truth"):
        merge([("one", one), ("two", two)], same_images="rename")
    with pytest.raises(InputError, match=r"one: found images that have only numbers, expected names, as in two"):
        merge([("one", one), ("two", dataset(["1"]))])


def test_contradictions_are_refused_or_told():
    one = dataset(["a.jpg"], sizes=[[10, 20]], info={"info": {"year": 1}, "licenses": []})
    with pytest.raises(InputError, match="image-size"):
        merge([("one", one), ("two", dataset(["a.jpg"], sizes=[[20, 10]]))], same_images="join")
    two = dataset(["b.jpg"], info={"info": {"year": 2}, "licenses": []})
    labels = Labels(["cat"], supercategories=["animal"], extras=Extras.from_dicts([{"color": "red"}]))
    other = Labels(["cat"], supercategories=["pet"], extras=Extras.from_dicts([{"color": "blue"}]))
    whole = merge([("one", one.replace(labels=labels)), ("two", two.replace(labels=other))]).dataset
    assert whole.info == {"info": {"year": 1}, "licenses": []}
    assert [note.found.split(":")[0] for note in whole.notes] == [
        "metadata 'info'",
        "supercategory of label 'cat'",
        "further fields of label 'cat'",
    ]
    assert all(note.severity == "warning" for note in whole.notes)


def test_wrong_calls_are_refused():
    with pytest.raises(UsageError, match="expected refuse, join or rename"):
        merge([("one", dataset(["a.jpg"]))], same_images="guess")
    with pytest.raises(UsageError, match="nothing to merge"):
        merge([])
    scored = dataset(["b.jpg"])
    scored = scored.replace(annotations=scored.annotations.replace(score=[0.5]))
    with pytest.raises(InputError, match="score-missing"):
        merge([("one", dataset(["a.jpg"])), ("two", scored)])


@given(st.lists(st.lists(st.integers(0, 9), unique=True, max_size=5), min_size=1, max_size=4), st.data())
def test_nothing_is_lost_and_no_number_is_that_of_two(parts, data):
    """Drawn numbers in drawn sources: every annotation stays, with its image, label and box; ids are unique."""
    drawn = []
    for number, ids in enumerate(parts):
        count = len(ids)
        numbered = data.draw(st.booleans())
        images = [f"{number}-{place}.jpg" for place in range(count)]
        drawn.append(
            (str(number), dataset(images, ["cat", f"dog{number}"], ids if numbered else None, ids, [1, 2]))
        )  # fmt: skip
    whole = merge(drawn).dataset
    assert [(row.image, row.label, row.box) for row in whole] == [
        (row.image, row.label, row.box) for _, part in drawn for row in part
    ]
    for ids in (whole.images.ids, whole.labels.ids, whole.annotations.ids):
        assert ids is None or len(np.unique(ids)) == len(ids)
    if len(drawn[0][1]):
        assert whole.images.ids[: len(parts[0])].tolist() == parts[0]
