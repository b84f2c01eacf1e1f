"""What tools really wrote: the same content in several formats agrees to the precision that each has."""

import pytest

from rapideval import formats

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
