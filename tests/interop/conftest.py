"""Small datasets that the tests of this folder give out and take back."""

from __future__ import annotations

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons


@pytest.fixture
def images():
    return Images(["a.jpg", "b.jpg", "c.jpg"], ids=[7, 9, 4], sizes=[[20, 30], [10, 12], [8, 8]])


@pytest.fixture
def boxes(images):
    """Predictions of boxes; the last image has none."""
    rows = Annotations(
        [0, 1, 0], [1, 0, 1], [[1.5, 2, 3, 4.25], [0, 0, 12, 10], [4, 4, 8, 8]], [0.9, 0.5, 0.25], crowd=[0, 1, 0],
        area=[12, 100, 60],
    )  # fmt: skip
    return Dataset(images, Labels(["cat", "dog"]), rows)


@pytest.fixture
def masked(images):
    """Ground truth: a mask with a hole, and an outline of two parts."""
    ring = np.zeros((20, 30), bool)
    ring[2:9, 3:12] = True
    ring[4:6, 5:8] = False
    masks = Masks.concat([Masks.from_dense(ring), Masks.empty(1)])
    two = [[[1, 1, 4, 1, 4, 4, 1, 4], [6, 6, 9, 6, 9, 9, 6, 9]]]
    polygons = Polygons.concat([Polygons.empty(1), Polygons.from_rings(two)])
    rows = Annotations([0, 1], [0, 1], masks=masks, polygons=polygons)
    return Dataset(images, Labels(["cat", "dog"]), rows)
