"""Parquet of the canonical columns: files of other makers, row groups, and what is refused."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.written import assert_same, small, written

from rapideval import Images, formats
from rapideval.errors import FormatError, UsageError

COLUMNS = {
    "image": ["a.jpg", "b.jpg"], "label": ["cat", "dog"],
    "x": [1.0, 2.0], "y": [1.0, 2.0], "width": [3.0, 4.0], "height": [3.0, 4.0],
}  # fmt: skip


def file_of(**columns):
    stream = io.BytesIO()
    pq.write_table(
        pa.table({name: column for name, column in (COLUMNS | columns).items() if column is not None}), stream
    )
    return stream.getvalue()


def test_columns_of_another_maker_are_read():
    data = formats.read(file_of(score=[0.5, 0.25], crowd=[True, False], note=["x", "y"]))
    assert (data.images.names, data.labels.names) == (("a.jpg", "b.jpg"), ("cat", "dog"))
    assert data.annotations.box.tolist() == [[1, 1, 3, 3], [2, 2, 4, 4]]
    assert data.annotations.score.tolist() == [0.5, 0.25]
    assert data.annotations.crowd.tolist() == [True, False]
    beside = formats.read(file_of(), images=Images(["b.jpg"], sizes=[[10, 20]]))
    assert beside.images.names == ("b.jpg", "a.jpg")
    assert [row.image for row in beside] == ["a.jpg", "b.jpg"]


def test_row_groups_are_as_large_as_asked_and_read_as_one():
    data = small(scored=True)
    text, lost = written(data, "parquet", rows_per_group=2, compression="none")
    assert not lost
    assert pq.ParquetFile(io.BytesIO(text)).num_row_groups == 2
    assert_same(formats.read(text), data)


def test_pandas_and_polars_see_plain_columns():
    import pandas as pd

    frame = pd.read_parquet(io.BytesIO(written(small(), "parquet")[0]))
    assert frame["label"].tolist() == ["dog", "cat", "cat"]
    assert frame["x"].tolist() == [2.0, 0.1, 0.0]
    assert frame["mask_counts"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"x": None}, "expected a column x"),
        ({"x": ["1", "2"]}, "column x: found string, expected numbers"),
        ({"x": [1.0, None]}, "column x: row 1: found null, expected numbers"),
        ({"x": [1.0, float("nan")]}, "found"),
        ({"crowd": [0, 1]}, "column crowd: found int64, expected true and false"),
        ({"mask_counts": [[1, 2], [3]]}, "found mask_counts without it"),
        (
            {"mask_counts": [[1, 2], [3]], "mask_height": [1, 1], "mask_width": [3, 4]},
            "found 3 pixels|found run lengths|pixels",
        ),
        ({"rings": [[[1.0, 2.0, 3.0]], []]}, "a ring of an odd count"),
        ({"rings": [[[1.0, 2.0]], []], "holes": [[False, True], []]}, "column holes: found another count than rings"),
        ({"rings": [1.0, 2.0]}, "column rings: found double, expected lists"),
        ({"extras": ["{}", "[1]"]}, "column extras: row 1"),
    ],
)
def test_columns_that_cannot_be_are_refused(columns, says):
    with pytest.raises(FormatError, match=says):
        formats.read(file_of(**columns), "parquet")


def test_options_that_are_none_are_refused():
    with pytest.raises(UsageError, match="rows_per_group=0"):
        written(small(), "parquet", rows_per_group=0)
    with pytest.raises(UsageError, match="compression='lz'"):
        written(small(), "parquet", compression="lz")


def test_a_saved_evaluation_is_not_taken_for_a_dataset(tmp_path):
    pq.write_table(pa.table({"label": [1], "image": [2]}), tmp_path / "v1.parquet")
    with pytest.raises(FormatError, match="format-unknown"):
        formats.detect(tmp_path / "v1.parquet")


def test_no_annotations_keep_images_and_labels():
    data = small().take(np.zeros(0, int))
    back = formats.read(written(data, "parquet")[0])
    assert (back.images.names, back.labels.names, len(back)) == (data.images.names, data.labels.names, 0)
