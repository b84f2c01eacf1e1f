"""Datasets drawn within what a format promises to hold, and what of them must come back."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.model import Extras
from tests.helpers.written import mask_of

# Letters, quotes, marks of XML, CSV and YAML, an emoji, an accent: what names are made of in the wild.
LETTERS = "abz AZ09_-.#&<>'\",;:[]{}é漢🐈"
SIDE = 12

names = st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(lambda name: name.strip(". "))
attributes = st.dictionaries(
    st.text("abcü", min_size=1, max_size=3),
    st.integers(-5, 5) | st.text(LETTERS, max_size=4) | st.booleans() | st.lists(st.integers(0, 3), max_size=2),
    max_size=2,
)


@st.composite
def datasets_within(draw, holds, case, scored=None):
    """A dataset that a format holds entirely.

    `holds` are the format's capabilities; `case` says which kinds of shapes it knows, and how names may look.
    """
    image_count, label_count = draw(st.integers(1, 3)), draw(st.integers(1, case.most_labels))
    stems = draw(st.lists(case.image_names, min_size=image_count, max_size=image_count, unique_by=str.lower))
    sizes = [(draw(st.integers(4, SIDE)), draw(st.integers(4, SIDE))) for _ in stems]
    label_names = draw(st.lists(case.label_names, min_size=label_count, max_size=label_count, unique=True))
    rows = draw(st.lists(st.tuples(st.integers(0, image_count - 1), st.integers(0, label_count - 1)), max_size=6))
    if not holds.empty_images:
        rows += [(place, 0) for place in range(image_count) if place not in {image for image, _ in rows}]
    if not holds.unused_labels:
        rows += [(0, place) for place in range(label_count) if place not in {label for _, label in rows}]
    if not holds.label_order:  # labels come in the order of their annotations
        seen = list(dict.fromkeys(label for _, label in sorted(rows, key=lambda row: row[0])))
        rows = [(image, seen.index(label) if label in seen else label) for image, label in rows]
    if case.one_per_label:
        rows = sorted(set(rows))
    if case.by_label:
        rows = sorted(rows)
    count = len(rows)
    shapes = [_shape(draw, holds, case, sizes[image]) for image, _ in rows]
    if case.disjoint:
        _part(draw, shapes, [image for image, _ in rows], sizes)
    boxes = [
        _box(draw, holds, sizes[image]) if shape["kind"] == "box" or (holds.boxes and case.boxes_beside) else None
        for (image, _), shape in zip(rows, shapes, strict=True)
    ]
    masks = [shape.get("mask") for shape in shapes]
    outlines = [shape.get("rings", []) for shape in shapes]
    columns = {
        "masks": Masks.concat([Masks.empty(1) if m is None else m for m in masks]) if any(masks) else None,
        "polygons": Polygons.from_rings(outlines, [shape.get("holes", []) for shape in shapes])
        if any(outlines)
        else None,
    }
    columns["box"] = _boxes(boxes, columns, count)
    scored = (draw(st.booleans()) if scored is None else scored) and holds.scores
    if scored:
        columns["score"] = [draw(case.scores) for _ in range(count)]
    if holds.crowd:
        columns["crowd"] = [
            draw(st.booleans()) if case.crowd_outlines or shape["kind"] != "polygon" else False for shape in shapes
        ]
        if case.by_label:
            columns["crowd"] = [
                crowd and row not in rows[:place]
                for place, (crowd, row) in enumerate(zip(columns["crowd"], rows, strict=True))
            ]
    if holds.areas:
        columns["area"] = [draw(st.integers(0, 400)) / 4 for _ in range(count)]
    if holds.ids and draw(st.booleans()):
        columns["ids"] = list(draw(st.permutations(range(1, 1 + count))))
    if holds.attributes:
        columns["extras"] = _extras(draw, count)
    images = Images(
        stems,
        list(draw(st.permutations(range(1, 1 + image_count))))
        if case.ids or (holds.image_ids and draw(st.booleans()))
        else None,
        sizes if holds.image_sizes or case.sizes_given or case.ids else None,
        _extras(draw, image_count) if holds.image_attributes else None,
    )
    labels = Labels(
        label_names,
        list(draw(st.permutations(range(1, 1 + label_count))))
        if case.ids or (holds.label_ids and draw(st.booleans()))
        else None,
        [draw(st.none() | names) for _ in label_names] if holds.supercategories and draw(st.booleans()) else None,
        _extras(draw, label_count) if holds.label_attributes else None,
    )
    info = draw(st.dictionaries(st.sampled_from(["year", "licence"]), st.integers(0, 9))) if holds.info else None
    return Dataset(
        images, labels, Annotations([image for image, _ in rows], [label for _, label in rows], **columns), info
    )


def _part(draw, shapes, places, sizes):
    """Give each annotation of an image pixels that no other one has, one at least."""
    for place, (height, width) in enumerate(sizes):
        rows = [row for row, image in enumerate(places) if image == place]
        numbers = st.lists(st.integers(0, len(rows)), min_size=height * width, max_size=height * width)
        owner = np.array(draw(numbers))
        owner[: len(rows)] = np.arange(1, len(rows) + 1)
        for number, row in enumerate(rows, 1):
            shapes[row]["mask"] = mask_of((owner == number).reshape(height, width))


def _ids(draw, count, held, case):
    return list(draw(st.permutations(range(1, 1 + count)))) if case.ids or (held and draw(st.booleans())) else None


def _extras(draw, count):
    rows = [draw(attributes) for _ in range(count)]
    return Extras.from_dicts(rows) if any(rows) else None


def _boxes(boxes, columns, count):
    if not count:
        return np.empty((0, 4))
    if all(box is None for box in boxes):
        return None
    derived = np.zeros((count, 4))
    for column in (columns["polygons"], columns["masks"]):
        if column is not None:
            derived[column.present] = column.boxes[column.present]
    return np.array([derived[row] if box is None else box for row, box in enumerate(boxes)])


def _coordinate(draw, holds, most):
    return draw(st.integers(0, 8 * most)) / 8 if holds.subpixel else float(draw(st.integers(0, most)))


def _box(draw, holds, size):
    height, width = size
    x, y = _coordinate(draw, holds, width - 1), _coordinate(draw, holds, height - 1)
    return [x, y, 1 + _coordinate(draw, holds, int(width - 1 - x)), 1 + _coordinate(draw, holds, int(height - 1 - y))]


def _ring(draw, holds, size, case):
    height, width = size
    count = draw(st.integers(*case.corners))
    return [[_coordinate(draw, holds, width), _coordinate(draw, holds, height)] for _ in range(count)]


def _frame(draw, holds, size, band):
    """A rectangle within a vertical band of the image, and a triangle inside it: a part and its hole."""
    height, _ = size
    left, right = 4 * band, 4 * band + 3
    step = 8 if holds.subpixel else 1
    top, bottom = (draw(st.integers(0, 1)), height - draw(st.integers(0, 1)))
    outer = [[left, top], [right, top], [right, bottom], [left, bottom]]
    inset = draw(st.integers(1, step)) / step
    inner = [[left + 1, top + 1], [left + 1 + inset, top + 1], [left + 1, top + 1 + inset]]
    return [[float(x), float(y)] for x, y in outer], [[float(x), float(y)] for x, y in inner]


def _shape(draw, holds, case, size):
    kinds = [kind for kind in case.kinds if kind == "box" or getattr(holds, {"mask": "masks"}.get(kind, "polygons"))]
    kind = draw(st.sampled_from(kinds))
    if kind == "mask":
        height, width = size
        bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width).filter(any))
        return {"kind": kind, "mask": mask_of(np.array(bits).reshape(height, width))}
    if kind == "polygon":
        bands = min(3, size[1] // 4) if holds.parts else 1
        parts = draw(st.integers(1, bands))
        if parts == 1 and draw(st.booleans()):
            return {"kind": kind, "rings": [_ring(draw, holds, size, case)], "holes": [False]}
        rings, holes = [], []
        for part in range(parts):
            outer, inner = _frame(draw, holds, size, part)
            holed = holds.holes and draw(st.booleans())
            rings += [outer, inner] if holed else [outer]
            holes += [False, True] if holed else [False]
        return {"kind": kind, "rings": rings, "holes": holes}
    return {"kind": "box"}


def content(data, case):
    """What must come back: by image, in the order of its annotations."""
    rows = data.annotations
    found = {key: [] for key in data.images.keys}
    for row in range(len(data)):
        outlined = rows.polygons is not None and rows.polygons.present[row]
        masked = rows.masks is not None and rows.masks.present[row]
        found[data.images.keys[rows.image[row]]].append({
            "label": data.labels.names[rows.label[row]],
            "box": rows.box[row].tolist(),
            "score": None if rows.score is None else rows.score[row],
            "crowd": bool(rows.crowd[row]),
            "runs": rows.masks.runs(row).tolist() if masked else None,
            "rings": [ring.tolist() for ring in rows.polygons.rings(row)] if outlined else [],
            "holes": rows.polygons.holes(row).tolist() if outlined else [],
        })  # fmt: skip
    return found
