"""Data frames with a row an annotation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rapideval.errors import InputError, UsageError
from rapideval.interop import from_pandas, losses


def test_what_to_pandas_makes_comes_back(boxes):
    back = from_pandas(boxes.to_pandas())
    assert back.images.names == boxes.images.names
    assert back.labels == boxes.labels
    for name in ("image", "label", "box", "score", "area", "crowd"):
        assert np.array_equal(getattr(back.annotations, name), getattr(boxes.annotations, name)), name
    assert losses(boxes, "pandas").counts() == {"image_ids": 3, "image_sizes": 3}


def corners(**columns):
    given = {"filename": ["a.jpg", "b.jpg"], "width": [640, 640], "height": [480, 480], "class": ["cat", "dog"],
             "xmin": [1, 0], "ymin": [2, 0], "xmax": [4, 9], "ymax": [6, 9]}  # fmt: skip
    return pd.DataFrame(given | columns)


NAMES = {"image": "filename", "label": "class"}


def test_corners_beside_the_size_of_the_image():
    data = from_pandas(corners(), columns=NAMES)
    assert data.annotations.box.tolist() == [[1, 2, 3, 4], [0, 0, 9, 9]]
    assert data.annotations.extras[0] == {"width": 640, "height": 480}


def test_numbers_are_ids_and_labels_are_named():
    frame = pd.DataFrame({"image": [9, 7], "label": [2, 1], "x": [0, 0], "y": [0, 0], "w": [1, 2], "h": [1, 2]})
    names = {"width": "w", "height": "h"}
    data = from_pandas(frame, labels={1: "cat", 2: "dog"}, columns=names)
    assert data.images.ids.tolist() == [9, 7]
    assert [row.label for row in data] == ["dog", "cat"]
    assert not data.notes
    unnamed = from_pandas(frame, columns=names)
    assert unnamed.labels.names == ("2", "1")
    assert [note.rule for note in unnamed.notes] == ["label-names"]


def test_images_without_rows_are_given(images):
    data = from_pandas(corners(), images, columns=NAMES)
    assert len(data.images) == 3
    assert data.annotations.image.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (corners(xmax=[0, 9]), r"frame\[0\].*x1 <= x2"),
        (corners(xmax=[4.0, None]), r"frame\['xmax'\]\[1\]: found no value"),
        (corners(**{"class": ["cat", None]}), r"frame\['class'\]\[1\]: found no value"),
        (corners(xmin=["1", "b"]), r"frame\['xmin'\]"),
        (corners().drop(columns="ymax"), "columns"),
        (corners().drop(columns="filename"), "'filename', as the image"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(frame, message):
    with pytest.raises(InputError, match=message):
        from_pandas(frame, columns=NAMES)


def test_wrong_calls():
    with pytest.raises(UsageError, match="both kinds"):
        from_pandas(corners(x=[0, 0], y=[0, 0]), columns=NAMES)
    with pytest.raises(UsageError, match="the field 'picture'"):
        from_pandas(corners(), columns={"picture": "filename"})
    with pytest.raises(InputError, match="one of 1 images"):
        from_pandas(corners(), ["a.jpg"], columns=NAMES)
    with pytest.raises(UsageError, match="no target 'polars'"):
        losses(from_pandas(corners(), columns=NAMES), "polars")
