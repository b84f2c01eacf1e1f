"""Scale Nucleus's own classes read what rapideval writes, and write what it reads: the same payloads."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.written import written

from rapideval import Annotations, Dataset, Images, Labels, Polygons, formats
from rapideval.model import Extras

nucleus = pytest.importorskip("nucleus")

TRIANGLE = [[0.5, 0], [9, 0], [9, 7.25]]


def dataset(scored):
    return Dataset(
        Images(["a.jpg", "s3://bucket/b.jpg"]),
        Labels(["car", "Ort"]),
        Annotations(
            [0, 1, 0],
            [0, 1, 1],
            [[1, 2.5, 3, 4], [0.5, 0, 8.5, 7.25], [0, 0, 1 / 3, 1]],
            [0.5, 1, 0.125] if scored else None,
            polygons=Polygons.from_rings([[], [TRIANGLE], []]),
            extras=Extras.from_dicts([{"colour": "red"}, None, {"track_reference_id": "t", "class_pdf": {"Ort": 1}}]),
        ),
    )


def classes(scored):
    if scored:
        return {"box": nucleus.BoxPrediction, "polygon": nucleus.PolygonPrediction}
    return {"box": nucleus.BoxAnnotation, "polygon": nucleus.PolygonAnnotation}


def said(payload):
    """A payload without what was not said."""
    return {name: value for name, value in payload.items() if value is not None}


@pytest.mark.parametrize("scored", [False, True])
def test_payloads_of_nucleus_classes_are_what_is_written(scored):
    listed = json.loads(written(dataset(scored), "scale-nucleus")[0])
    made = [said(classes(scored)[item["type"]].from_json(item).to_payload()) for item in listed]
    if not scored:  # whose classes know of no distribution over labels
        del listed[2]["class_pdf"]
    assert made == listed


@pytest.mark.parametrize("scored", [False, True])
def test_what_nucleus_classes_write_is_read(scored):
    score = {"confidence": 0.25} if scored else {}
    common = {"label": "car", "reference_id": "a.jpg", "metadata": {"colour": "red"}, **score}
    box = classes(scored)["box"](x=1, y=2, width=3.5, height=4, annotation_id="mine", track_reference_id="t", **common)
    polygon = classes(scored)["polygon"](vertices=[nucleus.Point(*pair) for pair in TRIANGLE], **common)
    text = json.dumps([box.to_payload(), polygon.to_payload()]).encode()
    assert formats.detect(text)[0].name == "scale-nucleus"
    data = formats.read(text)
    assert data.annotations.box.tolist() == [[1, 2, 3.5, 4], [0.5, 0, 8.5, 7.25]]
    assert np.array_equal(data.annotations.polygons.rings(1)[0], TRIANGLE)
    assert data.scored == scored
    extras = data.annotations.extras
    assert extras[0] == {"colour": "red", "track_reference_id": "t", "annotation_id": "mine"}
    again = json.loads(written(data, "scale-nucleus")[0])
    assert again == [said(box.to_payload()), said(polygon.to_payload()) | {"annotation_id": "a.jpg-1"}]


def test_an_annotation_id_is_written_once_an_image():
    extras = Extras.from_dicts([{"annotation_id": "x"}, {"annotation_id": "x"}, {"annotation_id": "x"}])
    rows = Annotations([0, 0, 1], [0, 0, 0], [[0, 0, 1, 1]] * 3, extras=extras)
    listed = json.loads(written(Dataset(Images(["a", "b"]), Labels(["c"]), rows), "scale-nucleus")[0])
    assert [item["annotation_id"] for item in listed] == ["x", "a-1", "x"]
    assert len({nucleus.BoxAnnotation.from_json(item).annotation_id for item in listed[:2]}) == 2
