"""YOLO folders: what only they have, and what they refuse."""

import numpy as np
import pytest
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.errors import InputError, UsageError
from rapideval.model import Extras

SIZES = {"image_sizes": 2}  # which every YOLO folder loses
SQUARE = [[1, 1], [5, 1], [5, 4], [1, 4]]


def dataset(splits=("train", "val"), boxes=((2, 1, 4, 2), (0, 0, 10, 10)), **columns):
    """Two images, an annotation each."""
    extras = Extras.from_dicts([{"split": split} if split else None for split in splits]) if any(splits) else None
    return Dataset(
        Images(["a.jpg", "b.jpg"], sizes=[[10, 20], [10, 10]], extras=extras),
        Labels(["cat", "dog"]),
        Annotations([0, 1], [1, 0], np.array(boxes, float), **columns),
    )


def folder(place, label="0 0.5 0.5 0.5 0.5\n", names="names: [cat]\n", **files):
    """A folder with one image of 20 × 10 pixels."""
    (place / "images").mkdir()
    (place / "labels").mkdir()
    Image.new("L", (20, 10)).save(place / "images/a.png")
    (place / "labels/a.txt").write_text(label)
    (place / "data.yaml").write_text(f"train: images\nval: images\n{names}")
    for name, text in files.items():
        (place / name).write_text(text)
    return place


def test_images_are_of_the_split_that_they_were(tmp_path):
    data = dataset()
    assert formats.write(data, tmp_path / "out", "yolo").counts() == SIZES
    assert (tmp_path / "out/labels/train/a.txt").read_text() == "1 0.2 0.2 0.2 0.2\n"
    back = formats.read(tmp_path / "out", images=Images(["a.jpg", "b.jpg"], sizes=data.images.sizes))
    assert [back.images.extras[place] for place in (0, 1)] == [{"split": "train"}, {"split": "val"}]
    only = formats.read(tmp_path / "out", images=data.images, split="val")
    assert [row.image for row in only] == ["b.jpg"]


def test_an_image_without_a_split_among_others_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"image 'b\.jpg' is of no split"):
        formats.write(dataset(("train", "")), tmp_path / "out", "yolo")
    with pytest.raises(UsageError, match="of the split 'dev': there are train, val"):
        formats.write(dataset(("train", "dev")), tmp_path / "out", "yolo")


def test_sizes_come_from_the_heads_of_the_images(tmp_path):
    data = formats.read(folder(tmp_path))
    assert data.images.sizes.tolist() == [[10, 20]]
    assert data.annotations.box.tolist() == [[5, 2.5, 10, 5]]
    assert data.annotations.where(0) == f"{tmp_path / 'labels/a.txt'}: line 1"


def test_images_may_lie_elsewhere(tmp_path):
    place = folder(tmp_path)
    (place / "images/a.png").rename(place / "a.png")
    with pytest.raises(InputError, match="whose size is not known"):
        formats.read(place)
    assert len(formats.read(place, image_folder=str(place))) == 1


def test_boxes_outlines_and_scores_may_stand_in_one_file(tmp_path):
    text = "0 0.5 0.5 0.5 0.5 0.25\n0 0 0 1 0 1 1 0.75\n"
    data = formats.read(folder(tmp_path, text))
    assert data.annotations.score.tolist() == [0.25, 0.75]
    assert data.annotations.polygons.present.tolist() == [False, True]
    assert data.annotations.box.tolist() == [[5, 2.5, 10, 5], [0, 0, 20, 10]]


def test_keypoints_are_kept(tmp_path):
    text = "0 0.5 0.5 0.5 0.5 0.1 0.2 2 0 0 0\n"
    data = formats.read(folder(tmp_path, text, "names: [cat]\nkpt_shape: [2, 3]\n"))
    assert data.annotations.extras[0] == {"keypoints": [2, 2, 2, 0, 0, 0]}
    assert data.annotations.box.tolist() == [[5, 2.5, 10, 5]]


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("0 0.5 0.5 0.5\n", "line 1: found 4 numbers, expected a class and four numbers"),
        ("\n0.5 0.5 0.5 0.5 0.5\n", "line 2: found 0.5, expected a class number from 0"),
        ("1 0.5 0.5 0.5 0.5\n", "line 1: found class 1, expected a class of the 1 that have names, from 0"),
        ("0 5 2.5 10 5\n", "line 1: found the coordinate 5, expected coordinates from 0 to 1; hint: pixels?"),
        ("0 0.5 x 0.5 0.5\n", "line 1: found 'x', expected a number"),
        ("0 0.5 nan 0.5 0.5\n", "line 1: found 'nan', expected a number"),
        ("0 0.5 0.5 0.5 -0.001\n", "line 1: found a width or height below 0"),
        ("0 0.5 0.5 0.5 0.5 0.3\n0 0.5 0.5 0.5 0.5\n", "line 2: found no score, expected a score, as other lines"),
        ("0 0.5 0.5 0.5 0.5 1.005\n", "line 1: found 1.005, expected a score from 0 to 1"),
    ],
)
def test_what_a_line_cannot_be_is_refused_with_its_place(tmp_path, label, says):
    with pytest.raises(InputError) as caught:
        formats.read(folder(tmp_path, label), "yolo")
    assert f"{tmp_path / 'labels/a.txt'}: {says}" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("names: [cat, cat]\n", "found 'cat' twice"),
        ("names: {0: cat, 2: dog}\n", "expected a list, or numbers from 0 without gaps"),
        ("names: [cat\n", "expected a YAML document"),
    ],
)
def test_a_description_that_does_not_say_its_classes_is_refused(tmp_path, names, says):
    with pytest.raises(InputError, match=says):
        formats.read(folder(tmp_path, names=names), "yolo")


def test_a_split_that_is_not_there_is_noted(tmp_path):
    place = folder(tmp_path, names="test: nowhere\nnames: [cat]\n")
    data = formats.read(place)
    assert len(data) == 1
    assert [str(note) for note in data.notes] == [
        f"{place}: test: found no 'nowhere': nothing is read of it [yolo-split]"
    ]


def test_labels_alone_need_their_names_told(tmp_path):
    (tmp_path / "a.txt").write_text("2 0.5 0.5 0.5 0.5 0.9\n")
    images = Images(["dir/a.jpg"], sizes=[[10, 20]])
    data = formats.read(tmp_path, "yolo", images=images)
    assert (data[0].image, data[0].label) == ("dir/a.jpg", "2")
    assert data.notes[0].rule == "label-names"
    data = formats.read(tmp_path, "yolo", images=images, labels=Labels(["a", "b", "c"]))
    assert data[0].label == "c"


def test_what_reaches_beyond_the_image_is_cut_off_counted_or_refused(tmp_path):
    data = dataset((), boxes=((-2, 1, 4, 2), (0, 0, 10, 10)))
    assert formats.losses(data, "yolo").counts() == {"outside": 1, **SIZES}
    formats.write(data, tmp_path / "clip", "yolo")
    assert formats.read(tmp_path / "clip", images=data.images).annotations.box.tolist() == [
        [0, 1, 2, 2],
        [0, 0, 10, 10],
    ]
    formats.write(data, tmp_path / "keep", "yolo", outside="keep")
    assert (tmp_path / "keep/labels/a.txt").read_text() == "1 0 0.2 0.2 0.2\n"
    with pytest.raises(InputError, match="box-outside"):
        formats.write(data, tmp_path / "refuse", "yolo", outside="refuse")
    assert not (tmp_path / "refuse").exists()


def test_holes_are_joined_filled_or_refused_as_asked(tmp_path):
    hole = [[2, 2], [3, 2], [3, 3]]
    polygons = Polygons.from_rings([[SQUARE, hole], []], [[False, True], []])
    data = dataset((), polygons=polygons)
    assert formats.losses(data, "yolo-seg").counts() == {"boxes": 1, "holes": 1, **SIZES}
    formats.write(data, tmp_path / "bridge", "yolo-seg")
    back = formats.read(tmp_path / "bridge", images=data.images).annotations.polygons
    sizes = data.images.sizes
    assert back.rasterise(sizes).take([0]) == polygons.rasterise(sizes).take([0])
    formats.write(data, tmp_path / "fill", "yolo-seg", holes="fill")
    assert (tmp_path / "fill/labels/a.txt").read_text() == "1 0.05 0.1 0.25 0.1 0.25 0.4 0.05 0.4\n"
    with pytest.raises(UsageError, match="has a hole"):
        formats.write(data, tmp_path / "refuse", "yolo-seg", holes="refuse")


def test_names_that_would_share_a_file_or_leave_the_folder(tmp_path):
    data = Dataset(Images(["a.jpg", "a.png"], sizes=[[1, 1]] * 2), Labels(["x"]), Annotations.empty())
    with pytest.raises(UsageError, match=r"'a\.jpg' and 'a\.png' would share the file 'a'"):
        formats.write(data, tmp_path / "out", "yolo")
    data = Dataset(Images(["../../a.jpg"], sizes=[[1, 1]]), Labels(["x"]), Annotations.empty())
    assert formats.losses(data, "yolo").counts()["image_names"] == 1
    formats.write(data, tmp_path / "out", "yolo")
    assert (tmp_path / "out/labels/_/_/a.txt").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_folder_is_not_written_to_a_stream():
    with pytest.raises(UsageError, match="yolo is a folder of files"):
        formats.write(dataset(), "-", "yolo")
