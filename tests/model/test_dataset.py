"""Datasets: references checked, rows viewed, chosen, relabelled; fingerprints; what a notebook shows."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.random_datasets import datasets, rows_of, small_dataset
from hypothesis import assume, given
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.errors import InputError, Problem
from rapideval.model import Extras, Source

BOX = [[1, 2, 3, 4]]


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


# --- references ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "found"), [("image", "image 2"), ("label", "label 3")])
def test_an_annotation_of_nothing_is_refused_with_its_place(column, found):
    source = Source(["p.json: $[{row}]"], [10, 11])
    places = {"image": [0, 0], "label": [0, 0], column: [0, 3 if column == "label" else 2]}
    rows = Annotations(box=BOX * 2, source=source, **places)
    problem = problem_of(lambda: Dataset(Images(["a", "b"]), Labels(["x", "y", "z"]), rows))
    assert (problem.rule, problem.where, problem.found) == ("column-range", "p.json: $[11]", found)


def test_a_mask_of_another_size_than_its_image_is_refused_and_a_swap_is_guessed():
    masks = Masks.from_counts([[12], [12]], [[3, 4], [2, 6]])
    rows = Annotations([0, 0], [0, 0], BOX * 2, masks=masks)
    problem = problem_of(lambda: Dataset(Images(["a"], sizes=[[3, 4]]), Labels(["x"]), rows))
    assert (problem.rule, problem.where, problem.hint) == ("mask-size", "annotations[1]", "")
    problem = problem_of(lambda: Dataset(Images(["a"], sizes=[[4, 3]]), Labels(["x"]), rows))
    assert problem.hint == "height and width look swapped"
    assert "2 such masks" in problem.found


def test_a_mask_on_an_image_of_unknown_size_and_a_row_without_a_mask_are_fine():
    masks = Masks.from_counts([[12], []], [[3, 4], [0, 0]])
    Dataset(
        Images(["a", "b"], sizes=[[0, 0], [9, 9]]), Labels(["x"]), Annotations([0, 1], [0, 0], BOX * 2, masks=masks)
    )


# --- views -----------------------------------------------------------------------------------------


@given(datasets())
def test_a_row_view_says_what_the_columns_say(data):
    rows = data.annotations
    assert len(list(data)) == len(data) == len(rows)
    for place, item in enumerate(data):
        assert item.index == place
        assert item.image == data.images.key(rows.image[place])
        assert item.label == data.labels.names[rows.label[place]]
        assert item.box == tuple(rows.box[place])
        assert item.area == rows.area[place]
        assert item.crowd == rows.crowd[place]
        assert (item.score is None) == (not data.scored)
        assert (item.id is None) == (rows.ids is None)
        has_mask = rows.masks is not None and bool(rows.masks.present[place])
        assert (item.mask is not None) == has_mask
        if has_mask:
            assert item.mask.shape == tuple(data.images.sizes[rows.image[place]])
            assert item.mask.sum() == rows.masks.area[place]


def test_rows_are_counted_from_the_end_and_end():
    data = small_dataset()
    assert data[-1].index == 3
    with pytest.raises(IndexError):
        data[4]


# --- choosing --------------------------------------------------------------------------------------


@given(datasets(scored=True), st.data())
def test_where_is_a_filter_of_rows(data, choice):
    images = choice.draw(st.none() | st.sets(st.sampled_from(data.images.keys)))
    labels = choice.draw(st.none() | st.sampled_from(data.labels.names))
    low, high = choice.draw(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)))
    area = choice.draw(st.none() | st.tuples(st.floats(0, 100), st.floats(0, 1e4)))
    crowd = choice.draw(st.none() | st.booleans())
    chosen = data.where(image=images, label=labels, score=(low, high), area=area, crowd=crowd)
    expected = [
        row.index
        for row in data
        if (images is None or row.image in images)
        and (labels is None or row.label == labels)
        and (low is None or row.score >= low)
        and (high is None or row.score <= high)
        and (area is None or area[0] <= row.area <= area[1])
        and (crowd is None or row.crowd == crowd)
    ]
    assert chosen.fingerprint() == data.take(np.array(expected, np.int64)).fingerprint()
    assert chosen.images is data.images


def test_where_finds_all_images_of_a_name():
    images = Images(["a", "a", "b"], [1, 2, 3])
    data = Dataset(images, Labels(["x"]), Annotations([0, 1, 2], [0, 0, 0], BOX * 3))
    assert len(data.where(image="a")) == 2


def test_where_does_not_overlook_what_is_not_there():
    data = small_dataset()
    with pytest.raises(KeyError, match=r"no image 'c\.jpg'"):
        data.where(image=["a.jpg", "c.jpg"])
    with pytest.raises(KeyError, match="did you mean 'cat'"):
        data.where(label="cta")
    assert problem_of(lambda: data.where(score=(0.5, None))).rule == "score-missing"


@given(datasets(), st.data())
def test_images_taken_bring_their_annotations(data, choice):
    order = choice.draw(st.permutations(range(len(data.images))))
    chosen = list(order)[: choice.draw(st.integers(0, len(order)))]
    part = data.take_images(np.array(chosen, np.int64))
    keys = [data.images.key(place) for place in chosen]
    assert list(part.images.keys) == keys
    assert part.labels is data.labels
    assert rows_of(part) == [row for row in rows_of(data) if row[0] in keys]


def test_an_image_is_taken_once():
    assert problem_of(lambda: small_dataset().take_images(np.array([0, 0]))).rule == "image-duplicate"


@given(datasets(), st.data())
def test_labels_taken_bring_their_annotations(data, choice):
    names = choice.draw(st.permutations(data.labels.names))[: choice.draw(st.integers(0, len(data.labels)))]
    part = data.take_labels(names)
    assert part.labels.names == tuple(names)
    assert rows_of(part) == [row for row in rows_of(data) if row[1] in names]


@given(datasets(), st.data())
def test_any_order_of_images_labels_and_rows_is_the_same_content(data, choice):
    images = choice.draw(st.permutations(range(len(data.images))))
    labels = choice.draw(st.permutations(data.labels.names))
    rows = choice.draw(st.permutations(range(len(data))))
    other = data.take_images(np.array(images)).take_labels(labels).take(np.array(rows, np.int64))
    assert sorted(map(str, rows_of(other))) == sorted(map(str, rows_of(data)))


@given(datasets(), st.data())
def test_relabelled_rows_have_the_new_names(data, choice):
    names = {name: choice.draw(st.sampled_from([*data.labels.names, "other"])) for name in data.labels.names}
    other = data.relabel(names)
    assert [row.label for row in other] == [names[row.label] for row in data]


# --- joined and cut --------------------------------------------------------------------------------


@given(datasets(scored=False), datasets(scored=False))
def test_datasets_joined_can_be_taken_apart_again(one, two):
    two = two.replace(images=Images([f"other {key}" for key in two.images.keys], sizes=two.images.sizes))
    joined = Dataset.concat([one, two])
    count = len(one.images)
    for part, places in ((one, slice(count)), (two, slice(count, None))):
        again = joined.take_images(places).take_labels(part.labels.names)
        assert rows_of(again) == rows_of(part)
        assert again.images.sizes.tolist() == part.images.sizes.tolist()


def test_datasets_that_share_images_and_labels_are_joined_on_them():
    one = Dataset(
        Images(["a", "b"], [1, 2], [[0, 0], [5, 6]], Extras.from_dicts([{}, {"url": "u"}])),
        Labels(["x", "y"], [10, 20], ["things", None], Extras.from_dicts([{"colour": "red"}, {}])),
        Annotations([0, 1], [0, 1], BOX * 2),
        {"year": 2017, "by": "one"},
        [Problem("n", "one", "note", severity="info")],
    )
    two = Dataset(
        Images(["b", "a", "c"], [2, 1, 3], [[5, 6], [7, 8], [9, 9]], Extras.from_dicts([{"url": "v"}, {"n": 1}, {}])),
        Labels(["z", "y"], [30, 20], [None, "stuff"]),
        Annotations([0, 2], [0, 1], BOX * 2),
        {"by": "two"},
    )
    joined = Dataset.concat([one, two])
    assert joined.images.names == ("a", "b", "c")
    assert joined.images.ids.tolist() == [1, 2, 3]
    assert joined.images.sizes.tolist() == [[7, 8], [5, 6], [9, 9]]
    assert [joined.images.extras[place] for place in range(3)] == [{"n": 1}, {"url": "u"}, {}]
    assert joined.labels.names == ("x", "y", "z")
    assert joined.labels.ids.tolist() == [10, 20, 30]
    assert joined.labels.supercategories == ("things", None, None)
    assert joined.labels.extras[0] == {"colour": "red"}
    assert [(row.image, row.label) for row in joined] == [("a", "x"), ("b", "y"), ("b", "z"), ("c", "y")]
    assert joined.info == {"year": 2017, "by": "one"}
    assert len(joined.notes) == 1


def test_joining_refuses_an_image_of_two_sizes():
    parts = [Dataset(Images(["a"], sizes=[[h, 9]]), Labels(["x"]), Annotations.empty()) for h in (5, 6)]
    problem = problem_of(lambda: Dataset.concat(parts))
    assert (problem.rule, problem.where, problem.expected) == (
        "image-size",
        "image 'a'",
        "[5, 9], as in another dataset",
    )


def test_joining_refuses_two_images_of_one_name():
    data = Dataset(Images(["a", "a"], [1, 2]), Labels(["x"]), Annotations.empty())
    assert problem_of(lambda: Dataset.concat([data, data])).rule == "image-duplicate"


def test_ids_that_contradict_each_other_are_dropped_and_names_kept():
    one = Dataset(Images(["a"], [1]), Labels(["x"], [1]), Annotations.empty())
    two = Dataset(Images(["b"], [1]), Labels(["y"], [1]), Annotations.empty())
    joined = Dataset.concat([one, two])
    assert joined.images.names == ("a", "b")
    assert joined.images.ids is None
    assert joined.labels.ids is None


def test_names_are_kept_where_only_one_part_has_any():
    one = Dataset(Images(["a"], [1]), Labels(["x"]), Annotations.empty())
    two = Dataset(Images(ids=[2]), Labels(["x"]), Annotations.empty())
    joined = Dataset.concat([one, two])
    assert joined.images.names == ("a", "2")
    assert joined.images.ids.tolist() == [1, 2]


def test_nothing_joined_is_nothing():
    assert repr(Dataset.concat([])) == "Dataset(0 images, 0 labels, 0 annotations)"


# --- fingerprints ----------------------------------------------------------------------------------


@given(datasets())
def test_equal_content_has_the_equal_fingerprint_whatever_its_origin(data):
    rows = data.annotations
    plain = Annotations(
        rows.image.copy(), rows.label, rows.box, rows.score, rows.area, rows.crowd, rows.masks, rows.polygons
    )
    other = Dataset(
        Images(data.images.keys, sizes=data.images.sizes), Labels(data.labels.names), plain, {"from": "elsewhere"}
    )
    assert other.fingerprint() == data.fingerprint()
    assert data.fingerprint().startswith("sha256:")
    assert len(data.fingerprint()) == 71


CHANGES = {
    "image": lambda rows: {"image": [0, 1, 0, 1]},
    "label": lambda rows: {"label": [0, 2, 2, 1]},
    "box": lambda rows: {"box": np.nextafter(rows.box, 1e9), "area": rows.area},
    "score": lambda rows: {"score": np.nextafter(rows.score, 2)},
    "no score": lambda rows: {"score": None},
    "area": lambda rows: {"area": np.nextafter(rows.area, 1e9)},
    "crowd": lambda rows: {"crowd": ~rows.crowd},
    "outline": lambda rows: {"polygons": Polygons.from_rings([[[0, 0, 1, 0, 1, 2]], [], [], []])},
    "hole": lambda rows: {
        "polygons": Polygons.from_rings([[[0, 0, 1, 0, 1, 1]] * 2, [], [], []], [[0, 1], [], [], []])
    },
    "which row has the outline": lambda rows: {"polygons": Polygons.from_rings([[], [[0, 0, 1, 0, 1, 1]], [], []])},
    "mask": lambda rows: {"masks": Masks.from_counts([[], [1, 1199], [], []], [[0, 0], [30, 40], [0, 0], [0, 0]])},
    "which row has the mask": lambda rows: {"masks": rows.masks.take([0, 1, 3, 2])},
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_that_bears_on_a_score_changes_the_fingerprint(change):
    data = small_dataset(
        scored=True,
        polygons=Polygons.from_rings([[[0, 0, 1, 0, 1, 1]], [], [], []]),
        masks=Masks.from_counts([[], [], [200], []], [[0, 0], [0, 0], [10, 20], [0, 0]]),
    )
    changed = data.replace(annotations=data.annotations.replace(**CHANGES[change](data.annotations)))
    assert changed.fingerprint() != data.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"images": Images(["a.jpg", "c.jpg"], sizes=[[10, 20], [30, 40]])},
        {"images": Images(["a.jpg", "b.jpg"], sizes=[[10, 20], [30, 41]])},
        {"images": Images(["a.jpg", "b.jpg", "c.jpg"], sizes=[[10, 20], [30, 40], [0, 0]])},
        {"labels": Labels(["cat", "dog", "fish"])},
        {"labels": Labels(["cat", "dog", "bird", "fish"])},
    ],
)
def test_other_images_or_labels_change_the_fingerprint(change):
    data = small_dataset()
    assert data.replace(**change).fingerprint() != data.fingerprint()


@given(
    st.lists(st.text("ab\0 1\n", min_size=1, max_size=3), unique=True),
    st.lists(st.text("ab\0 1\n", min_size=1, max_size=3), unique=True),
)
def test_names_do_not_run_into_each_other(one, two):
    assume(one != two)
    first, second = (Dataset(Images(), Labels(names), Annotations.empty()) for names in (one, two))
    assert first.fingerprint() != second.fingerprint()


def test_an_outline_beside_a_mask_and_rows_without_either_do_not_count():
    masks = Masks.from_counts([[200], [], [], []], [[10, 20], [0, 0], [0, 0], [0, 0]])
    plain = small_dataset(masks=masks)
    outlined = small_dataset(masks=masks, polygons=Polygons.from_rings([[[0, 0, 1, 0, 1, 1]], [], [], []]))
    assert outlined.fingerprint() == plain.fingerprint()
    assert small_dataset(masks=Masks.empty(4)).fingerprint() == small_dataset().fingerprint()


# --- notebooks -------------------------------------------------------------------------------------


def test_a_notebook_shows_counts_by_label_the_most_frequent_first():
    html = small_dataset(scored=True)._repr_html_()
    assert html.index("<td>cat</td><td>2</td><td>1</td>") < html.index("<td>bird</td><td>2</td><td>2</td>")
    assert "<td>dog</td><td>0</td><td>0</td><td>–</td><td>–</td>" in html
    assert "Dataset(2 images, 3 labels, 4 predictions)" in html


def test_a_notebook_never_runs_a_label():
    data = Dataset(Images(["a"]), Labels(["<script>alert(1)</script>"]), Annotations([0], [0], BOX))
    html = data._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@given(datasets())
def test_a_notebook_shows_any_dataset(data):
    html = data._repr_html_()
    assert html.count("<tr>") == html.count("</tr>") == 1 + len(data.labels)


def test_many_labels_are_counted_not_listed():
    data = Dataset(Images(["a"]), Labels([f"label {n}" for n in range(40)]), Annotations.empty())
    assert "… 28 more labels" in data._repr_html_()
