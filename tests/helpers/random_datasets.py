"""Datasets drawn at random: every optional column there or not, images and labels without annotations."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.model import Extras, Source

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
COORDINATES = st.floats(-10, 100, allow_nan=False, width=32)


def small_dataset(scored=False, **columns):
    """Two images, three labels, four annotations."""
    values = {
        "image": [0, 1, 0, 0],
        "label": [0, 2, 2, 0],
        "box": [[0, 0, 4, 2], [1, 1, 3, 3], [2, 0, 1, 1], [0, 0, 10, 10]],
        "score": [0.9, 0.8, 0.7, 0.6] if scored else None,
    }
    return Dataset(
        Images(["a.jpg", "b.jpg"], sizes=[[10, 20], [30, 40]]),
        Labels(["cat", "dog", "bird"]),
        Annotations(**(values | columns)),
    )


@st.composite
def datasets(draw, scored=None, min_rows=0, max_rows=8, min_images=1):
    """A dataset; images and labels may be without annotations."""
    keys = draw(st.lists(NAMES, min_size=min_images, max_size=4, unique=True))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    sizes = [[draw(st.integers(1, 9)), draw(st.integers(1, 9))] for _ in keys]
    images = Images(
        keys,
        list(draw(st.permutations(range(10, 10 + len(keys))))) if draw(st.booleans()) else None,
        sizes,
        Extras.from_dicts([{"place": draw(st.integers(0, 9))} for _ in keys]) if draw(st.booleans()) else None,
    )
    labels = Labels(
        names,
        list(draw(st.permutations(range(1, 1 + len(names))))) if draw(st.booleans()) else None,
        [draw(st.none() | NAMES) for _ in names] if draw(st.booleans()) else None,
    )
    count = draw(st.integers(min_rows, max_rows))
    image = [draw(st.integers(0, len(keys) - 1)) for _ in range(count)]
    optional = draw(st.sets(st.sampled_from(["area", "crowd", "masks", "polygons", "ids", "source", "extras"])))
    columns = {
        "image": image,
        "label": [draw(st.integers(0, len(names) - 1)) for _ in range(count)],
        "box": np.array([[draw(COORDINATES) for _ in range(4)] for _ in range(count)]).reshape(-1, 4),
    }
    if draw(st.booleans()) if scored is None else scored:
        columns["score"] = [draw(st.floats(0, 1)) for _ in range(count)]
    if "area" in optional:
        columns["area"] = [draw(st.floats(0, 1e6)) for _ in range(count)]
    if "crowd" in optional:
        columns["crowd"] = [draw(st.booleans()) for _ in range(count)]
    if "ids" in optional:
        columns["ids"] = list(draw(st.permutations(range(100, 100 + count))))
    if "source" in optional:
        columns["source"] = Source(["file.json: $[{row}]"], np.arange(count))
    if "extras" in optional:
        columns["extras"] = Extras.from_dicts([{"n": row} if row % 2 else {} for row in range(count)])
    if "masks" in optional:
        columns["masks"] = draw(ragged_masks([sizes[place] for place in image]))
    if "polygons" in optional:
        columns["polygons"] = draw(outlines(count))
    return Dataset(images, labels, Annotations(**columns))


@st.composite
def ragged_masks(draw, sizes):
    """A mask of each size, or none."""
    counts = []
    for height, width in sizes:
        if draw(st.booleans()):
            counts.append([])
            continue
        cuts = sorted(draw(st.lists(st.integers(0, height * width), max_size=4, unique=True)))
        counts.append(np.diff([0, *cuts, height * width]).tolist())
    shapes = [size if runs else [0, 0] for size, runs in zip(sizes, counts, strict=True)]
    return Masks.from_counts(counts, np.array(shapes, np.uint32).reshape(-1, 2))


@st.composite
def outlines(draw, count):
    """Some rings a row, some rows without; a hole only after an outer ring."""
    rows, holes = [], []
    for _ in range(count):
        rings = draw(st.integers(0, 3))
        rows.append([[draw(COORDINATES) for _ in range(2 * draw(st.integers(3, 5)))] for _ in range(rings)])
        holes.append([bool(place) and draw(st.booleans()) for place in range(rings)])
    return Polygons.from_rings(rows, holes)


def rows_of(data):
    """Annotations as plain values that do not depend on where images and labels stand; in order."""
    rows = data.annotations
    listed = []
    for row, item in enumerate(data):
        runs = None if rows.masks is None or not rows.masks.present[row] else rows.masks.runs(row).tolist()
        outline = [ring.tolist() for ring in item.rings]
        holes = [] if rows.polygons is None else rows.polygons.holes(row).tolist()
        extras = {} if rows.extras is None else rows.extras[row]
        listed.append(
            (item.image, item.label, item.box, item.score, item.area, item.crowd, runs, outline, holes, str(extras))
        )
    return listed
