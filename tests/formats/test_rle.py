"""RLE lines: written and read back equal, read by pycocotools, refused with the number of the line."""

import io
import json

import numpy as np
import pytest
from helpers.written import assert_same, datasets, mask_of, small, written
from hypothesis import given, settings
from pycocotools import mask as coco_mask

from rapideval import Annotations, Dataset, Images, Labels, Masks, formats
from rapideval.errors import FormatError
from rapideval.model import Extras

HEADER = b'{"schema":"rapideval-rle","version":1}\n'


def read(*lines, header=HEADER):
    return formats.read(header + b"\n".join(json.dumps(line).encode() for line in lines), "rle")


def line(**changes):
    return {"image": "a.jpg", "label": "cat", "score": 0.5, "size": [2, 2], "counts": [1, 3]} | changes


@pytest.mark.parametrize("rle", ["compressed", "counts"])
@pytest.mark.parametrize("scored", [False, True])
def test_masks_read_back_as_they_were(scored, rle):
    data = small(scored, outlines=False)
    text, lost = written(data, "rle", rle=rle)
    assert not lost
    back = formats.read(text)
    assert_same(data, back)
    assert back.info == data.info
    assert back.images.ids.tolist() == data.images.ids.tolist()
    assert back.labels.supercategories == data.labels.supercategories
    assert [back.annotations.extras[i] for i in range(3)] == [data.annotations.extras[i] for i in range(3)]
    assert written(back, "rle", rle=rle)[0] == text


@settings(max_examples=40, deadline=None)
@given(datasets(kinds=("box", "mask")))
def test_any_dataset_of_masks_and_boxes_reads_back_as_it_was(data):
    text, lost = written(data, "rle")
    back = formats.read(text)
    assert_same(data, back)
    assert not lost


def test_outlines_become_masks_and_are_told_to():
    data = small()
    data = data.replace(images=data.images.with_sizes([[10, 20], [8, 8]]))
    text, lost = written(data, "rle")
    assert lost.counts() == {"polygons": 1}
    assert "1 outline: written as masks" in str(lost)
    assert formats.read(text).annotations.masks == data.with_masks().annotations.masks


def test_pycocotools_decodes_each_line():
    text, _ = written(small(outlines=False), "rle")
    first = json.loads(text.splitlines()[1])
    np.testing.assert_array_equal(coco_mask.decode(first).astype(bool), small()[0].mask)


def test_the_header_may_leave_images_and_labels_to_the_lines():
    data = read(line(), line(image="b.jpg", label="dog", counts="13"), line())
    assert data.images.names == ("a.jpg", "b.jpg")
    assert data.labels.names == ("cat", "dog")
    assert data.annotations.image.tolist() == [0, 1, 0]
    assert data.annotations.where(1) == "<bytes>: line 3"


def test_images_known_by_id_only_keep_their_ids():
    data = Dataset(Images(ids=[7, 3], sizes=[[2, 2], [2, 2]]), Labels(["x"]), Annotations([1], [0], [[0, 0, 1, 1]]))
    back = formats.read(written(data, "rle")[0])
    assert back.images.ids.tolist() == [7, 3]
    assert back.annotations.image.tolist() == [1]


def test_predictions_of_nothing_stay_predictions():
    data = Dataset(Images(["a"]), Labels(["x"]), Annotations.empty(scored=True))
    back = formats.read(written(data, "rle")[0])
    assert back.scored
    assert back.images.names == ("a",)
    assert not formats.read(HEADER).scored


def test_a_mask_of_its_own_box_has_no_box_of_its_own():
    data = Dataset(Images(["a"], sizes=[[3, 3]]), Labels(["x"]), Annotations([0], [0], masks=mask_of(np.eye(3))))
    text, _ = written(data, "rle")
    assert b'"box"' not in text
    assert "box" in formats.read(text).annotations.derived


def test_files_are_recognised_and_compressed(tmp_path):
    path = tmp_path / "masks.jsonl.zst"
    formats.write(small(outlines=False), path, "rle")
    known, reason = formats.detect(path)
    assert (known.name, reason) == ("rle", "a first line with the schema rapideval-rle")
    assert len(formats.read(path)) == 3
    assert formats.write(small(outlines=False), tmp_path / "by-suffix.jsonl") == formats.Losses()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": [1, 2]}, r"<bytes>: line 2: \$.counts: found runs that sum to 3, expected 4.*rle-sum"),
        ({"counts": "zz~"}, r"<bytes>: line 2: \$.counts: found"),
        ({"counts": [1, -3]}, r"line 2: \$.counts\[1\]: found another value, expected int >= 0"),
        ({"id": 10**20}, r"line 2: \$.id: found another value, expected int"),
        ({"counts": [1, 2**40]}, r"line 2: \$.counts\[1\]: found another value, expected int <= 4294967295"),
        ({"size": [2]}, r"line 2: \$.size: found"),
        ({"score": "high"}, r"line 2: \$.score: found str, expected float"),
        ({"image": None}, r"line 2: \$.image: found null"),
        ({"mood": 1}, r"line 2: found Object contains unknown field mood"),
        ({"box": [1, 2, 3]}, r"line 2: \$.box"),
    ],
)
def test_a_damaged_line_is_refused_with_its_number(change, message):
    with pytest.raises(FormatError, match=message):
        read(line(**change))


def test_lines_that_lack_what_others_have_are_refused():
    row = line()
    del row["score"]
    with pytest.raises(FormatError, match=r"line 3: found no score, expected score, as other lines have"):
        read(line(), row)
    row = line()
    del row["counts"]
    with pytest.raises(FormatError, match=r"line 3: found neither counts nor box"):
        read(line(), row)
    row = line()
    del row["size"]
    with pytest.raises(FormatError, match=r"line 2: found counts without size"):
        read(row)


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(FormatError, match=r"line 2: found bytes that are not UTF-8"):
        formats.read(HEADER + b'{"image":"\xff","label":"x","box":[0,0,1,1]}', "rle")


def test_several_damaged_lines_are_told_at_once():
    with pytest.raises(FormatError, match="2 problems") as error:
        formats.read(HEADER + b'{"image": 1}\n\nnot JSON\n', "rle")
    assert [problem.where for problem in error.value.problems] == ["<bytes>: line 2", "<bytes>: line 4"]


@pytest.mark.parametrize(
    "header", [b"", b"[]\n", b"\xff\xfe", b'{"schema":"rapideval-rle","version":2}\n', b'{"schema":"x"}']
)
def test_a_file_without_the_header_is_refused(header):
    with pytest.raises(FormatError, match="rle-header"):
        read(line(), header=header)


def test_images_the_header_does_not_have_are_refused():
    header = b'{"schema":"rapideval-rle","version":1,"images":[{"name":"b.jpg"}]}\n'
    with pytest.raises(FormatError, match=r"line 2: found image 'a.jpg', expected an image of the document's list"):
        read(line(), header=header)


def test_masks_of_another_size_than_their_image_are_refused():
    header = b'{"schema":"rapideval-rle","version":1,"images":[{"name":"a.jpg","size":[4,4]}]}\n'
    with pytest.raises(FormatError, match=r"line 2: found a mask of height 2, width 2.*mask-size"):
        read(line(), header=header)


def test_extras_are_kept():
    data = read(line(extras={"colour": [1, 2]}), line())
    assert isinstance(data.annotations.extras, Extras)
    assert data.annotations.extras[0] == {"colour": [1, 2]}
    stream = io.BytesIO()
    formats.write(data, stream, "rle")
    assert b'"extras":{"colour":[1,2]}' in stream.getvalue()


def test_masks_without_images_of_known_size_are_masks():
    assert read(line()).annotations.masks == Masks.from_counts([[1, 3]], [[2, 2]])
