"""Class masks, VOC's masks and COCO panoptic: real files, what only they have, and what they refuse."""

import json

import numpy as np
import pytest
from helpers.written import mask_of
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Masks, formats
from rapideval.errors import FormatError, InputError, UsageError
from rapideval.formats.common.canvas import masks_by_number


def png(path, numbers, mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    dtype = {"L": np.uint8, "I;16": np.uint16, "RGB": np.uint8}[mode]
    Image.fromarray(np.asarray(numbers, dtype)).save(path)


# --- real files ----------------------------------------------------------------------------------------


def test_panoptic_segments_are_those_of_its_detection_format(shared_data):
    folder = shared_data / "panoptic-2"
    data = formats.read(folder / "panoptic_examples.json")
    assert formats.detect(folder / "panoptic_examples.json")[0].name == "coco-panoptic"
    other = formats.read(folder / "panoptic_coco_detection_format.json")
    assert len(data) == len(other) == 50
    assert int(data.annotations.crowd.sum()) == int(other.annotations.crowd.sum()) == 3
    for image in data.images.keys:
        ours, theirs = data.where(image=image).annotations, other.where(image=image).annotations
        # the same masks, whatever their order
        pairs = ours.masks.iou(theirs.masks)
        assert (pairs.max(axis=1) == 1).all()
        assert len(set(pairs.argmax(axis=1).tolist())) == len(ours)


def test_stuff_as_pictures_is_read_by_the_numbers_of_its_categories(shared_data, tmp_path):
    # The pictures beside stuff_examples.json are of the same images, but not the same annotation: 29 labels against 7.
    folder = shared_data / "stuff-2"
    coco = formats.read(folder / "stuff_examples.json")
    names = {int(number): name for number, name in zip(coco.labels.ids, coco.labels.names, strict=True)}
    (tmp_path / "masks").mkdir()
    for path in folder.glob("*.png"):
        (tmp_path / "masks" / path.name).write_bytes(path.read_bytes())
    label_map = {"label_map": {str(number): name for number, name in names.items()} | {"0": "void"}}
    (tmp_path / "dataset_meta.json").write_text(json.dumps(label_map))
    data = formats.read(tmp_path)
    assert formats.detect(tmp_path)[0].name == "class-masks"
    for image in data.images.keys:
        pixels = np.asarray(Image.open(folder / f"{image}.png"))
        masks = {row.label: row.mask for row in data.where(image=image)}
        assert masks.keys() == {names[number] for number in np.unique(pixels).tolist()}
        assert all((masks[names[number]] == (pixels == number)).all() for number in np.unique(pixels).tolist())


def test_presets_of_coco_stuff_are_the_ids_of_its_categories_and_the_numbers_of_its_maps(shared_data, tmp_path):
    folder = shared_data / "stuff-2"
    coco = formats.read(folder / "stuff_examples.json")
    names = {int(number): name for number, name in zip(coco.labels.ids, coco.labels.names, strict=True)}
    pixels = np.asarray(Image.open(folder / "000000013715.png"))
    held = {names[number] for number in np.unique(pixels).tolist()}
    png(tmp_path / "ids/a.png", pixels)
    data = formats.read(tmp_path / "ids", "class-masks", preset="coco-stuff")
    assert {row.label for row in data} == held
    assert len(data.labels) == 183
    things = json.loads((folder.parent / "panoptic-2/panoptic_coco_categories.json").read_text())
    assert {entry["name"]: entry["id"] - 1 for entry in things if entry["isthing"]}.items() <= {
        name: place for place, name in enumerate(data.labels.names)
    }.items()
    maps = np.where(pixels == 183, 255, pixels - 1)
    png(tmp_path / "maps/a.png", maps)
    of_maps = formats.read(tmp_path / "maps", "class-masks", preset="coco-stuff-maps")
    assert {row.label for row in of_maps} == held - {"other"}
    assert [(note.rule, note.count) for note in of_maps.notes] == [("mask-void", int((pixels == 183).sum()))]
    # Either would be off by one with the other's preset.
    for numbers, preset, found in (("maps", "coco-stuff", 255), ("ids", "coco-stuff-maps", 182)):
        with pytest.raises(FormatError, match=f"pixels of the number {found} that no label has"):
            formats.read(tmp_path / numbers, "class-masks", preset=preset)


def test_vocs_pictures_hold_the_ellipses_of_cvats_coco(shared_data):
    folder = shared_data / "four-images-ten-tools"
    data = formats.read(folder / "voc1.1", "voc-masks")
    coco = formats.read(folder / "coco1.0/annotations/instances_default.json").where(label="ellipse")
    assert [row.label for row in data] == ["ellipse", "ellipse"]
    assert (data.annotations.masks.iou(coco.annotations.masks).max(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("folder", "options", "labels"),
    [
        ("datumaro/common_semantic_segmentation_dataset/dataset", {}, {"Animal", "Bicyclist", "Child", "Road"}),
        ("datumaro/camvid_dataset/trainannot", {"preset": "camvid"}, {"Bicyclist", "Road"}),
        (
            "datumaro/cityscapes_dataset/train_dataset/gtFine/train",
            {"preset": "cityscapes-train", "masks": "**/*_labelTrainIds.png"},
            {"person"},
        ),
        (
            "datumaro/mapillary_vistas_dataset/train/v1.2/labels",
            {"labels": ["bird", "separator", "bicycle"]},
            {"bird", "separator"},
        ),
    ],
)
def test_class_masks_of_published_datasets_are_read(shared_data, folder, options, labels):
    data = formats.read(shared_data / "tool-exports" / folder, "class-masks", **options)
    assert {row.label for row in data} >= labels & {row.label for row in data}
    assert labels & {row.label for row in data}


def test_labelformats_voc_classes_are_read(shared_data):
    folder = shared_data / "tool-exports/labelformat/semantic_segmentation/pascalvoc"
    data = formats.read(folder)
    assert formats.detect(folder)[0].name == "class-masks"
    assert {row.label for row in data.where(image="2007_000032")} == {"aeroplane", "person"}
    assert [note.rule for note in data.notes] == ["mask-void"]


# --- what is told, and what is refused -----------------------------------------------------------------


def overlapping():
    masks = Masks.concat([mask_of(np.ones((4, 4), bool)), mask_of(np.eye(4, dtype=bool)), Masks.empty(1)])
    rows = Annotations([0, 0, 0], [0, 0, 1], [[0, 0, 4, 4]] * 3, masks=masks)
    return Dataset(Images(["a"], sizes=[[4, 4]]), Labels(["cat", "dog"]), rows)


def test_what_lies_below_and_what_has_no_mask_is_counted(tmp_path):
    data = overlapping()
    assert formats.losses(data, "coco-panoptic").counts() == {"boxes": 1, "overlap": 1}
    assert formats.losses(data, "voc-masks").counts() == {"boxes": 1, "overlap": 1}
    assert formats.losses(data, "class-masks").counts() == {"boxes": 1, "overlap": 1, "instances": 1}
    formats.write(data, tmp_path / "out", "coco-panoptic")
    back = formats.read(tmp_path / "out")
    assert back.annotations.area.tolist() == [12, 4]


def test_numbers_that_no_label_has_are_refused_and_void_is_noted(tmp_path):
    png(tmp_path / "masks/a.png", [[0, 1], [9, 255]])
    with pytest.raises(FormatError, match=r"a\.png: found 1 pixels of the number 9 that no label has"):
        formats.read(tmp_path, "class-masks", labels=["background", "cat"])
    png(tmp_path / "masks/a.png", [[0, 1], [1, 255]])
    data = formats.read(tmp_path, "class-masks", labels=["background", "cat"])
    assert data.annotations.area.tolist() == [2]
    assert [(note.rule, note.count) for note in data.notes] == [("mask-void", 2)]
    with pytest.raises(FormatError, match="nothing that names numbers"):
        formats.read(tmp_path, "class-masks")


def panoptic(place, segments, pixels):
    png(place / "p/a.png", pixels, "RGB")
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 1, "width": 2}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 3, "name": "sky", "isthing": 0}],
    }
    (place / "p.json").write_text(json.dumps(document))
    return place / "p.json"


@pytest.mark.parametrize(
    ("segments", "says"),
    [
        ([], r"annotations\[0\]: found pixels of the number 256, of 1 such"),
        ([{"id": 256, "category_id": 4}], r"segments_info\[0\].category_id: found 4, expected the id of a category"),
        (
            [{"id": 256, "category_id": 3}, {"id": 7, "category_id": 3}],
            r"segments_info\[1\].id: found 7, expected a number",
        ),
    ],
)
def test_segments_and_pixels_that_do_not_fit_are_refused(tmp_path, segments, says):
    with pytest.raises(InputError, match=says):
        formats.read(panoptic(tmp_path, segments, [[[0, 0, 0], [0, 1, 0]]]))


def test_a_picture_that_is_not_there_or_leads_out_is_refused(tmp_path):
    path = panoptic(tmp_path, [{"id": 256, "category_id": 3}], [[[0, 0, 0], [0, 1, 0]]])
    assert formats.read(path).annotations.area.tolist() == [1]
    assert formats.read(path).labels.extras[0] == {"isthing": 0}
    text = path.read_text()
    path.write_text(text.replace("a.png", "../a.png"))
    with pytest.raises(InputError, match="leads out of the folder"):
        formats.read(path)
    (tmp_path / "p/a.png").unlink()
    path.write_text(text)
    with pytest.raises(InputError, match="mask-missing"):
        formats.read(path)


def test_objects_of_voc_have_one_label_each(tmp_path):
    png(tmp_path / "SegmentationClass/a.png", [[1, 2], [0, 255]])
    png(tmp_path / "SegmentationObject/a.png", [[1, 1], [0, 255]])
    with pytest.raises(FormatError, match="found pixels of 2 labels, expected the same label"):
        formats.read(tmp_path, "voc-masks")
    png(tmp_path / "SegmentationObject/a.png", [[1, 2], [0, 255]])
    assert [row.label for row in formats.read(tmp_path)] == ["aeroplane", "bicycle"]


def test_several_panoptic_documents_are_a_question(shared_data):
    folder = shared_data / "tool-exports/datumaro/coco_dataset/coco_panoptic"
    with pytest.raises(FormatError, match=r"2 documents with segments: .*panoptic_train\.json, .*panoptic_val\.json"):
        formats.read(folder, "coco-panoptic")


# --- pictures of objects -------------------------------------------------------------------------------


def test_objects_of_cityscapes_are_told_apart(shared_data):
    folder = shared_data / "tool-exports/datumaro/cityscapes_dataset/train_dataset/gtFine"
    data = formats.read(folder, "instance-masks")
    rows = data.where(image="test/defaultcity/defaultcity_000001_000031")
    assert [row.label for row in rows] == ["out of roi", "truck", "truck"]
    assert not rows.annotations.crowd.any()
    classes = formats.read(folder, "class-masks", masks="**/*_labelTrainIds.png")
    assert set(data.images.keys) == set(classes.images.keys)
    for image in classes.images.keys:
        trained = {row.label: row.mask for row in classes.where(image=image)}
        for label, mask in trained.items():
            objects = [row.mask for row in data.where(image=image, label=label)]
            assert (np.logical_or.reduce(objects) == mask).all()
    # Without objects the same labels are groups, of which those of road users are crowds.
    plain = formats.read(shared_data / "tool-exports/datumaro/cityscapes_dataset/dataset/gtFine")
    assert {row.label: row.crowd for row in plain} == {
        "out of roi": False, "truck": True, "person": True, "wall": False, "train": True, "ego vehicle": False,
    }  # fmt: skip


def test_objects_of_kitti_are_told_apart(shared_data):
    folder = shared_data / "tool-exports/datumaro/kitti_dataset/kitti_segmentation"
    assert formats.detect(folder)[0].name == "instance-masks"
    data = formats.read(folder)
    assert [row.label for row in data.where(image="000030_10")] == ["out of roi", "truck", "truck"]
    assert [row.label for row in data.where(image="000030_11")] == ["out of roi", "wall", "train"]
    assert not data.annotations.crowd.any()


@pytest.mark.parametrize(("split", "version", "year"), [
    ("train", "v1.2", 2018), ("val", "v1.2", 2018), ("train", "v2.0", 2020), ("val", "v2.0", 2020),
])  # fmt: skip
def test_objects_of_mapillary_are_its_panoptic_segments(shared_data, split, version, year):
    folder = shared_data / "tool-exports/datumaro/mapillary_vistas_dataset" / split / version
    assert formats.detect(folder / "instances")[0].name == "instance-masks"
    data = formats.read(folder, "instance-masks")
    panoptic = formats.read(folder / f"panoptic/panoptic_{year}.json")  # its pictures are beside it
    assert len(data) == len(panoptic)
    for image in panoptic.images.keys:
        one, other = data.where(image=image[:-4]), panoptic.where(image=image)
        ious = one.annotations.masks.iou(other.annotations.masks)
        assert (ious.max(axis=1) == 1).all()
        assert [row.label for row in one] == [other[int(place)].label for place in ious.argmax(axis=1)]


def test_labels_of_mapillary_are_those_of_its_objects(shared_data):
    folder = shared_data / "tool-exports/datumaro/mapillary_vistas_dataset"
    for path in ("train/v1.2", "train/v2.0", "val/v1.2", "val/v2.0"):
        classes = formats.read(folder / path / "labels", "class-masks")
        objects = formats.read(folder / path / "instances", "instance-masks")
        assert classes.images.keys == objects.images.keys
        assert classes.labels.names == objects.labels.names
        for row in classes:
            same = [other.mask for other in objects.where(image=row.image, label=row.label)]
            assert (np.logical_or.reduce(same) == row.mask).all()


def test_two_channels_are_the_panoptic_segments(shared_data):
    folder = shared_data / "panoptic-2"
    panoptic = formats.read(folder / "panoptic_examples.json")
    two = folder / "panoptic_examples_2ch_format"
    data = formats.read(two, "instance-masks", coding="two-channel", labels=panoptic)
    assert len(data) == len(panoptic) == 50
    assert int(data.annotations.crowd.sum()) == 3
    for image in panoptic.images.keys:
        one, other = data.where(image=image.split(".")[0]), panoptic.where(image=image)
        ious = one.annotations.masks.iou(other.annotations.masks)
        assert (ious.max(axis=1) == 1).all()
        pairs = [other[int(place)] for place in ious.argmax(axis=1)]
        assert [(row.label, row.crowd) for row in one] == [(row.label, row.crowd) for row in pairs]
    with pytest.raises(UsageError, match="two channels have ids of labels"):
        formats.read(two, "instance-masks", coding="two-channel", labels=["a"])


def test_a_coding_that_nothing_says_is_asked_for(tmp_path):
    png(tmp_path / "a.png", [[0, 257]], "I;16")
    with pytest.raises(UsageError, match="coding: nothing says it: one of cityscapes, kitti, mapillary, two-channel"):
        formats.read(tmp_path, "instance-masks")
    named = {"labels": ["sky", "car"], "format": "instance-masks"}
    data = formats.read(tmp_path, coding="kitti", **named)
    assert [(row.label, row.crowd) for row in data] == [("sky", False), ("car", False)]
    with pytest.raises(FormatError, match=r"a\.png: found 1 pixels of the number 257, of a label 257 that there is"):
        formats.read(tmp_path, coding="cityscapes", **named)


def test_several_folders_of_objects_are_a_question(tmp_path):
    for split in ("training", "testing"):
        png(tmp_path / split / "instance/a.png", [[257]], "I;16")
    with pytest.raises(FormatError, match="several folders of pictures: testing/instance, training/instance"):
        formats.read(tmp_path, "instance-masks")


def objects(labels, of_one):
    """An image with so many objects of the last of so many labels, a pixel each."""
    masks = Masks.from_dense(np.eye(of_one, dtype=bool)[:, None, :])
    rows = Annotations([0] * of_one, [labels - 1] * of_one, masks=masks)
    return Dataset(Images(["a"], sizes=[[1, of_one]]), Labels([f"l{n}" for n in range(labels)]), rows)


@pytest.mark.parametrize(
    ("labels", "of_one", "coding"), [(65, 535, "cityscapes"), (66, 255, "kitti"), (255, 1, "kitti")]
)
def test_the_first_coding_that_holds_all_is_written(tmp_path, labels, of_one, coding):
    formats.write(objects(labels, of_one), tmp_path / "out", "instance-masks")
    assert json.loads((tmp_path / "out/instance_masks.json").read_text())["coding"] == coding
    back = formats.read(tmp_path / "out")
    assert back.labels.names == objects(labels, of_one).labels.names
    assert back.annotations.masks == objects(labels, of_one).annotations.masks


@pytest.mark.parametrize(("labels", "of_one", "options"), [
    (66, 256, {}), (256, 1, {}), (1, 1000, {}), (65, 536, {"coding": "cityscapes"}), (1, 256, {"coding": "kitti"}),
])  # fmt: skip
def test_what_16_bits_do_not_hold_is_refused(tmp_path, labels, of_one, options):
    with pytest.raises(UsageError, match="16 bits do not hold them"):
        formats.write(objects(labels, of_one), tmp_path / "out", "instance-masks", **options)
    assert not (tmp_path / "out").exists()


def test_crowds_of_one_label_are_joined_and_labels_that_are_none_counted(tmp_path):
    masks = Masks.from_dense(np.eye(3, dtype=bool)[:, None, :])
    data = Dataset(
        Images(["a"], sizes=[[1, 3]]),
        Labels(["cat", "Void"]),
        Annotations([0, 0, 0], [0, 0, 1], masks=masks, crowd=[True, True, False]),
    )
    assert formats.losses(data, "instance-masks").counts() == {"void": 1, "instances": 1}
    assert formats.losses(data, "class-masks").counts()["void"] == 1
    formats.write(data, tmp_path / "out", "instance-masks")
    back = formats.read(tmp_path / "out")
    assert [(row.label, row.crowd, row.area) for row in back] == [("cat", True, 2)]


def test_masks_by_number_are_those_of_each_number():
    random = np.random.default_rng(5)
    for shape in ((1, 1), (1, 9), (9, 1), (13, 8)):
        numbers = random.integers(0, 4, shape)
        held, masks = masks_by_number(numbers)
        assert held.tolist() == np.unique(numbers).tolist()
        assert masks == Masks.from_dense(np.stack([numbers == number for number in held]))
