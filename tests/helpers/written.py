"""Datasets that the tests of formats share."""

import io

import numpy as np
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons, formats
from rapideval.model import Extras


def written(data, name="coco", /, **options):
    """Bytes of a dataset in a format, and what that lost."""
    stream = io.BytesIO()
    lost = formats.write(data, stream, name, **options)
    return stream.getvalue(), lost


def mask_of(dense):
    """One mask, encoded here so that what is tested does not test itself."""
    flat = np.concatenate([[False], np.asarray(dense, bool).reshape(-1, order="F")])
    runs = np.diff(np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1], [True]])))
    runs[0] -= 1  # the background pixel put before the first, so that runs begin with background
    return Masks.from_counts([runs], [dense.shape])


def small(scored=False, outlines=True, sizes=False):
    """Two images, two labels, a mask, a box and an outline (or another box), with all columns there are.

    With `sizes` both images have one.
    """
    masks = mask_of(np.pad(np.ones((2, 3), bool), ((1, 7), (2, 15))))
    return Dataset(
        Images(["a.jpg", 'weird "ü\n.jpg'], ids=[7, 3], sizes=[[10, 20], [5, 7] if sizes else [0, 0]]),
        Labels(["dog", "cat"], ids=[18, 1], supercategories=["animal", None]),
        Annotations(
            [0, 1, 0],
            [0, 1, 1],
            [[2, 1, 3, 2], [0.1, 0.2, 1 / 3, 4], [0, 0, 4, 3]],
            [0.5, 0.25, 1] if scored else None,
            crowd=None if scored else [True, False, False],
            masks=masks.spread(np.array([0]), 3),
            polygons=Polygons.from_rings([[], [], [[0, 0, 4, 0, 4, 3.5], [9, 9, 10, 9, 10, 10]]]) if outlines else None,
            ids=None if scored else [5, 9, 2],
            extras=Extras.from_dicts([{"color": "red", "keypoints": [1, 2, 2]}, None, {"ü": [1.5, None]}]),
        ),
        info={"info": {"year": 2024, "text": "ü"}, "licenses": []},
    )


def columns(rows):
    """Columns to be compared."""
    return {
        "image": rows.image, "label": rows.label, "box": rows.box, "area": rows.area, "crowd": rows.crowd,
        "score": np.zeros(0) if rows.score is None else rows.score,
        "runs": np.zeros(0) if rows.masks is None else rows.masks.counts,
        "points": np.zeros(0) if rows.polygons is None else rows.polygons.coordinates,
    }  # fmt: skip


def assert_same(a, b):
    """Two datasets hold the same."""
    assert a.images.keys == b.images.keys
    assert a.labels.names == b.labels.names
    one, other = columns(a.annotations), columns(b.annotations)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


numbers = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-1000, 1000).map(float)


@st.composite
def datasets(draw, kinds=("box", "mask", "polygon")):
    """Datasets of all shapes."""
    count = draw(st.integers(0, 6))
    size = st.integers(1, 9)
    sizes = draw(st.lists(st.tuples(size, size), min_size=2, max_size=2))
    image = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    kinds = draw(st.lists(st.sampled_from(kinds), min_size=count, max_size=count))
    masks, rings = [], []
    for place, kind in zip(image, kinds, strict=True):
        height, width = sizes[place]
        bits = (
            draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)) if kind == "mask" else None
        )
        dense = None if bits is None else np.array(bits, bool).reshape(height, width)
        masks.append(Masks.empty(1) if dense is None else mask_of(dense))
        ring = st.lists(numbers, min_size=6, max_size=8).filter(lambda r: len(r) % 2 == 0)
        rings.append(draw(st.lists(ring, min_size=1, max_size=2)) if kind == "polygon" else [])
    column = st.lists(numbers, min_size=count, max_size=count)
    box = np.array(draw(st.lists(st.tuples(*[numbers] * 4), min_size=count, max_size=count)), float).reshape(count, 4)
    name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
    return Dataset(
        Images(draw(st.lists(name, min_size=2, max_size=2, unique=True)), [2**40, 0], sizes),
        Labels(draw(st.lists(name, min_size=2, max_size=2, unique=True)), draw(st.sampled_from([None, [0, 5]]))),
        Annotations(
            image,
            draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)),
            box,
            draw(st.none() | column),
            draw(column),
            draw(st.lists(st.booleans(), min_size=count, max_size=count)),
            Masks.concat(masks) if "mask" in kinds else None,
            Polygons.from_rings(rings) if "polygon" in kinds else None,
            draw(st.none() | st.lists(st.integers(-(2**62), 2**62), min_size=count, max_size=count)),
        ),
    )
