"""What tools really wrote: the same content in several formats agrees to the precision that each has."""

import json

import numpy as np
import pytest

from rapideval import Images, Labels, formats
from rapideval.errors import FormatError, UsageError

FOUR = "four-images-ten-tools"
SHARKS = "tool-exports/roboflow"


def boxes(data, labels=True):
    """Boxes by image and label, without folders and suffixes of names, nor the number that Roboflow gives an export."""
    rows = data.annotations
    found = {}
    for row in range(len(data)):
        name = data.images.keys[rows.image[row]].rsplit("/", 1)[-1].split(".rf.", 1)[0].rsplit(".", 1)[0]
        label = data.labels.names[rows.label[row]] if labels else ""
        found.setdefault((name, label), []).append(rows.box[row].tolist())
    return {key: sorted(values) for key, values in found.items()}


def scaled(data, factor):
    """The dataset with larger boxes."""
    return data.replace(annotations=data.annotations.replace(box=data.annotations.box * factor))


def assert_agree(one, other, precision, labels=True):
    """The same boxes, pairwise within a precision in pixels."""
    mine, theirs = boxes(one, labels), boxes(other, labels)
    assert mine.keys() == theirs.keys()
    for key, listed in mine.items():
        left = list(theirs[key])
        assert len(listed) == len(left), key
        for box in listed:
            near = min(left, key=lambda found: max(abs(a - b) for a, b in zip(box, found, strict=True)))
            assert box == pytest.approx(near, abs=precision), key
            left.remove(near)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_roboflows_createml_is_its_coco(shared_data, split):
    # The COCO export is of frames scaled to 256 pixels and has whole pixels, the CreateML one of 640.
    coco = formats.read(shared_data / SHARKS / f"sharks-tiny-coco/{split}/_annotations.coco.json")
    createml = formats.read(shared_data / SHARKS / f"sharks-tiny-createml/{split}/_annotations.createml.json")
    assert set(map(tuple, coco.images.sizes.tolist())) == {(256, 256)}
    assert_agree(scaled(coco, 640 / 256), createml, 0.51 * 640 / 256)


# --- YOLO --------------------------------------------------------------------------------------------


def test_roboflows_yolo_is_its_createml(shared_data):
    data = formats.read(shared_data / SHARKS / "sharks-tiny-yolov9")
    assert formats.detect(shared_data / SHARKS / "sharks-tiny-yolov9")[0].name == "yolo-seg"
    assert set(map(tuple, data.images.sizes.tolist())) == {(640, 640)}  # from the heads of the images
    for split, images in (("train", 7), ("val", 2), ("test", 1)):
        part = data.where(image=[key for key in data.images.keys if split_of(data, key) == split])
        assert len(set(part.annotations.image.tolist())) == images
        folder = {"val": "valid"}.get(split, split)
        createml = formats.read(shared_data / SHARKS / f"sharks-tiny-createml/{folder}/_annotations.createml.json")
        assert_agree(part, createml, 1e-3)
    assert int(data.annotations.polygons.present.sum()) == 17


def split_of(data, key):
    """Split that an image is of."""
    return data.images.extras[data.images.index(key)]["split"]


def test_voc_as_yolo_is_voc_as_coco(shared_data):
    folder = shared_data / "voc2007-100"
    coco = formats.read(folder / "gts/coco_format_v1/instances_default.json")
    data = formats.read(folder / "gts/yolo_format", images=coco.images)
    assert formats.detect(folder / "gts/yolo_format")[0].name == "yolo"
    assert data.labels.names == coco.labels.names
    assert_agree(data, coco, 1e-3)  # six digits of a few hundred pixels


def test_yolo_of_two_tools_agrees(shared_data):
    # Drawn once in labelImg and once in CVAT: the same objects, to a dozen pixels.
    labelimg, cvat = (formats.read(shared_data / FOUR / name) for name in ("yolo", "yolo1.1"))
    assert set(labelimg.labels.names) == set(cvat.labels.names)
    assert len(labelimg.images) == len(cvat.images) == 4
    assert_agree(labelimg.where(image="strawberry.jpg"), cvat.where(image="strawberry.jpg"), 12)


@pytest.mark.parametrize(
    ("folder", "images", "labels", "rows"),
    [
        ("datumaro/yolo_dataset/labels", 2, 10, 4),
        ("datumaro/yolo_dataset/strict", 1, 10, 2),
        ("datumaro/yolo_dataset/annotations", 1, 10, 2),
        ("datumaro/roboflow_dataset/yolo", 2, 2, 2),  # its data.yaml calls the folder val valid: noted
    ],
)
def test_a_yolo_folder_is_recognised_and_read(shared_data, folder, images, labels, rows):
    path = shared_data / "tool-exports" / folder
    assert formats.detect(path)[0].name == "yolo"
    data = formats.read(path)
    assert (len(data.images), len(data.labels), len(data)) == (images, labels, rows)


def test_labelformats_yolo_is_its_coco(shared_data):
    folder = shared_data / "tool-exports/labelformat"
    coco = formats.read(folder / "object_detection/COCO/train.json")
    boxed = formats.read(folder / "object_detection/YOLOv8")
    assert_agree(boxed, coco, 0.51)  # COCO's boxes are rounded
    outlined = formats.read(folder / "instance_segmentation/YOLOv8")
    assert len(outlined.annotations.polygons.present) == len(outlined)


# --- Pascal VOC and CVAT -------------------------------------------------------------------------------


def test_voc_as_xml_and_as_cvat_is_voc_as_coco(shared_data):
    gts = shared_data / "voc2007-100/gts"
    coco = formats.read(gts / "coco_format_v1/instances_default.json")
    for name, folder in (("voc", "pascalvoc_format"), ("cvat", "cvat_format")):
        assert formats.detect(gts / folder)[0].name == name
        data = formats.read(gts / folder)
        assert_agree(data, coco, 1e-9)  # whole pixels in all of them
        sizes = {key: tuple(size) for key, size in zip(coco.images.names, coco.images.sizes.tolist(), strict=True)}
        assert {key: tuple(s) for key, s in zip(data.images.names, data.images.sizes.tolist(), strict=True)} == sizes


def test_cvat_of_four_images_is_its_coco_voc_and_yolo(shared_data):
    folder = shared_data / FOUR
    cvat, coco, voc, yolo = (
        formats.read(folder / name)
        for name in ("cvat1.1/annotations.xml", "coco1.0/annotations/instances_default.json", "voc1.1", "yolo1.1")
    )
    assert [note.rule for note in cvat.notes] == ["cvat-skipped", "cvat-outline"]  # polylines; ellipses
    shared = {"label": "strawberry"}
    assert_agree(cvat.where(**shared), coco.where(**shared), 0.011)  # hundredths
    assert_agree(cvat.where(**shared), voc.where(**shared), 0.011)
    assert_agree(cvat.where(**shared), yolo.where(**shared), 0.011)
    birds = {"label": "bird"}
    ours, theirs = cvat.where(**birds).annotations.polygons, coco.where(**birds).annotations.polygons
    for row in range(len(ours)):
        assert ours.rings(row)[0] == pytest.approx(theirs.rings(row)[0], abs=0.011)


def test_ellipses_of_cvat_cover_what_its_coco_masks_cover(shared_data):
    folder = shared_data / FOUR
    cvat = formats.read(folder / "cvat1.1").where(label="ellipse").with_masks().annotations
    coco = formats.read(folder / "coco1.0/annotations/instances_default.json").where(label="ellipse").annotations
    assert (cvat.masks.iou(coco.masks).max(axis=1) > 0.98).all()  # OpenCV, which made those, paints both ends


def test_cvat_for_video_is_read_by_frames(shared_data):
    data = formats.read(shared_data / "tool-exports/datumaro/cvat_dataset/for_video")
    assert formats.detect(shared_data / "tool-exports/datumaro/cvat_dataset/for_video")[0].name == "cvat"
    assert boxes(data) == {("frame_000010", "II"): [[3, 4, 7, 1]]}  # all else is outside, or no box
    assert data.annotations.extras[0] == {"track_id": 0, "occluded": True}
    assert [(note.rule, note.count) for note in data.notes] == [("cvat-skipped", 1), ("cvat-skipped", 1)]


@pytest.mark.parametrize(
    ("folder", "images", "rows"),
    [
        ("blood-cells/Annotations", 40, 784),
        ("four-images-ten-tools/labelImg", 4, 25),
        ("tool-exports/labelformat/object_detection/PascalVOC", 2, 16),
        ("tool-exports/datumaro/voc_dataset/voc_dataset1", 1, 2),
        ("tool-exports/datumaro/roboflow_dataset/voc", 3, 4),
        ("tool-exports/darwin/pascal_voc_annotations", 8, 16),
    ],
)
def test_a_voc_folder_is_recognised_and_read(shared_data, folder, images, rows):
    assert formats.detect(shared_data / folder)[0].name == "voc"
    data = formats.read(shared_data / folder)
    assert (len(data.images), len(data)) == (images, rows)


def test_darwins_voc_is_its_coco(shared_data):
    folder = shared_data / "tool-exports/darwin"
    data, coco = formats.read(folder / "pascal_voc_annotations"), formats.read(folder / "coco_annotations/output.json")
    assert {key for key, _ in boxes(data)} == {key for key, _ in boxes(coco)}


# --- labelme, VIA, CreateML, Label Studio ----------------------------------------------------------------


def test_via_says_the_same_as_json_and_as_csv(shared_data):
    folder = shared_data / FOUR / "via"
    one, other = formats.read(folder / "via_region_data.json"), formats.read(folder / "via_region_data.csv")
    assert formats.detect(folder / "via_region_data.json")[0].name == "via"
    assert formats.detect(folder / "via_region_data.csv")[0].name == "via-csv"
    # The JSON has its strawberries twice, the CSV once.
    assert {key: sorted(map(tuple, set(map(tuple, rows)))) for key, rows in boxes(one).items()} == {
        key: list(map(tuple, rows)) for key, rows in boxes(other).items()
    }
    assert len(other) == 23
    assert [note.rule for note in one.notes] == [note.rule for note in other.notes] == ["via-skipped"]


def test_labelmes_shapes_are_where_cvats_are(shared_data):
    labelme, cvat = (formats.read(shared_data / FOUR / name) for name in ("labelme", "cvat1.1"))
    assert formats.detect(shared_data / FOUR / "labelme")[0].name == "labelme"
    for label in ("strawberry", "rectangle", "triangle"):
        assert_agree(labelme.where(label=label), cvat.where(label=label), 12)  # each drawn anew
    assert labelme.images.sizes[labelme.images.index("shapes.jpg")].tolist() == [643, 588]


def test_voc_as_labelme_is_voc_as_coco(shared_data):
    gts = shared_data / "voc2007-100/gts"
    labelme, coco = formats.read(gts / "labelme_format"), formats.read(gts / "coco_format_v1/instances_default.json")
    assert len(labelme.images) == 8
    assert_agree(labelme, coco.where(image=list(labelme.images.keys)), 1e-9)


LABEL_STUDIO = "tool-exports/label-studio"


@pytest.mark.parametrize(
    ("path", "rows", "rules"),
    [
        ("converter/test_export_yolo/data.json", 4, ["ls-others"]),  # of three annotations on two tasks
        ("converter/test_export_yolo/data_obb.json", 25, []),
        ("converter/test_export_yolo/data_polygons.json", 1, []),
        ("converter/test_export_coco/data.json", 2, ["ls-skipped"]),
        ("converter/test_export_json_min/data.json", 1, []),
        ("frontend/image_bbox/annotations/1.json", 1, []),
        ("frontend/image_polygons/annotations/0.json", 1, []),
        ("frontend/image_ellipses/annotations/1.json", 1, ["ls-skipped"]),
    ],
)
def test_label_studios_exports_are_read(shared_data, path, rows, rules):
    file = shared_data / LABEL_STUDIO / path
    assert formats.detect(file)[0].name == "label-studio"
    task = json.loads(file.read_bytes())
    url = task["data"]["image"] if isinstance(task, dict) else ""
    data = formats.read(file, images=Images([url], sizes=[[100, 200]]) if url else None)
    assert ([note.rule for note in data.notes], len(data)) == (rules, rows)


def test_every_tool_of_label_studio_is_read(shared_data, tmp_path):
    document = json.loads((shared_data / LABEL_STUDIO / "frontend/image_tools/annotations/1.json").read_bytes())
    with pytest.raises(FormatError, match="the key 'data' with the image"):  # the task is in another file
        formats.read(shared_data / LABEL_STUDIO / "frontend/image_tools/annotations/1.json")
    (tmp_path / "a.json").write_text(json.dumps(document | {"data": {"image": "a.jpg"}}))
    data = formats.read(tmp_path / "a.json")
    rows = data.annotations
    assert [row.label for row in data].count("Moonwalker") == 4
    assert len(data) == 7  # four rectangles, an ellipse, a polygon, a brush; three keypoints are skipped
    assert [(note.rule, note.count) for note in data.notes] == [("ls-skipped", 3), ("ls-skipped", 2)]
    (brushed,) = np.flatnonzero(rows.masks.present)
    assert rows.masks.sizes[brushed].tolist() == [2802, 2242]
    assert 0 < rows.masks.area[brushed] < 2802 * 2242 / 2


# --- text and CSV ----------------------------------------------------------------------------------------


def test_labelformats_kitti_is_its_coco(shared_data):
    folder = shared_data / "tool-exports/labelformat/object_detection"
    data = formats.read(folder / "KITTI/labels", image_folder=str(folder / "KITTI/images/a-difficult subfolder"))
    assert formats.detect(folder / "KITTI/labels")[0].name == "kitti"
    assert_agree(data, formats.read(folder / "COCO/train.json"), 1e-9)
    assert all(key.endswith(".jpg") for key in data.images.keys)


def test_datumaros_kitti_is_read(shared_data):
    data = formats.read(shared_data / "tool-exports/datumaro/kitti_dataset/kitti_detection")
    assert data.images.names == ("000030_10.png", "000030_11.png")
    assert len(data) == 5


def test_detections_in_three_orders_agree_with_coco(shared_data):
    dets = shared_data / "voc2007-100/dets"
    truth = formats.read(shared_data / "voc2007-100/gts/coco_format_v1/instances_default.json")
    # numbers of labels are places in voc.names, which the detector was trained with
    names = (shared_data / "voc2007-100/voc.names").read_text().split()
    images = Images([key.rsplit(".", 1)[0] for key in truth.images.names], sizes=truth.images.sizes)
    given = {"images": images, "labels": Labels(names)}
    absolute = formats.read(dets / "abs_xywh", order="xywh", **given)
    assert formats.detect(dets / "abs_xywh")[0].name == "boxes-text"
    corners = formats.read(dets / "abs_xyx2y2", order="xyxy", **given)
    relative = formats.read(dets / "rel_xywh", "boxes-text", order="cxcywh", **given)
    assert len(absolute) == len(corners) == len(relative) == 452
    assert_agree(absolute, corners, 1e-9)
    assert_agree(absolute, relative, 0.51)  # six digits, of boxes that were rounded to pixels before


def test_padillas_text_is_read_absolute_and_relative(shared_data):
    folder = shared_data / "padilla-7"
    truth = formats.read(folder / "groundtruths", order="xywh")
    images = Images(truth.images.names, sizes=[[200, 200]] * 7)
    relative = formats.read(folder / "groundtruths_rel", "boxes-text", order="cxcywh", images=images)
    assert len(truth) == len(relative) == 15
    assert_agree(truth, relative, 1.01)
    assert formats.read(folder / "detections", order="xywh").annotations.score.max() <= 1
    with pytest.raises(UsageError, match="nothing says what they are"):
        formats.read(shared_data / "voc2007-100/dets/abs_xyx2y2")


@pytest.mark.parametrize(
    ("name", "folder"), [("vott", "vott_json_dataset/dataset"), ("vott-csv", "vott_csv_dataset/dataset")]
)
def test_vott_is_read(shared_data, name, folder):
    path = shared_data / "tool-exports/datumaro" / folder
    assert formats.detect(path)[0].name == name
    data = formats.read(path)
    assert {key.split(".")[0] for key in data.images.keys} <= {"img0001", "img0002", "img0003", "img0004"}
    assert len(data) >= 4
