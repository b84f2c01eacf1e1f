"""What is drawn over a photograph stands where the objects are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rapideval import Annotations, Dataset, Images, Labels, Masks
from rapideval.report.overlay import FOUND, MISSED, WRONG, Layer, lay_out, sheet


def boxes(*corners: list[float], image: int = 0, label: str = "cat") -> Dataset:
    rows = Annotations([image] * len(corners), [0] * len(corners), list(corners), [0.5] * len(corners))
    return Dataset(Images(["a.png", "b.png"], sizes=[[40, 60], [40, 60]]), Labels([label]), rows)


def layer(data: Dataset, colour: tuple[int, int, int] = FOUND, captions: bool = False, dashed: bool = False) -> Layer:
    return Layer("found", data, np.arange(len(data)), colour, captions, dashed)


def painted(picture: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return np.all(np.asarray(picture) == colour, axis=-1)


def black() -> Image.Image:
    return Image.new("L", (60, 40))


def test_a_box_is_drawn_along_its_edges() -> None:
    picture = sheet({"a.png": black()}, [layer(boxes([10, 5, 20, 15]))], scale=2, width=120).crop((0, 0, 120, 80))
    rows, columns = np.nonzero(painted(picture, FOUND))
    assert columns.min() == pytest.approx(20, abs=1)
    assert columns.max() == pytest.approx(60, abs=1)
    assert rows.min() == pytest.approx(10, abs=1)
    assert rows.max() == pytest.approx(40, abs=1)
    assert not painted(picture, FOUND)[14:36, 24:56].any(), "the inside stays as it is"


def test_a_mask_is_drawn_along_its_pixel_edges_with_its_holes() -> None:
    mask = np.zeros((40, 60), bool)
    mask[8:32, 10:50] = True
    mask[16:24, 20:40] = False
    rows = Annotations([0], [0], score=[0.5], masks=Masks.from_dense(mask[None]))
    data = Dataset(Images(["a.png"], sizes=[[40, 60]]), Labels(["ring"]), rows)
    drawn = painted(sheet({"a.png": black()}, [layer(data)], scale=4, width=240).crop((0, 0, 240, 160)), FOUND)
    large = np.kron(mask, np.ones((4, 4), bool))
    edge = np.zeros_like(large)
    edge[:, 1:] |= large[:, 1:] != large[:, :-1]
    edge[1:] |= large[1:] != large[:-1]
    near = np.zeros_like(edge)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            near |= np.roll(edge, (dy, dx), (0, 1))
    assert drawn.any()
    assert not (drawn & ~near).any(), "a line strays from the edge of the mask"
    covered = np.zeros_like(drawn)
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            covered |= np.roll(drawn, (dy, dx), (0, 1))
    assert not (edge & ~covered).any(), "a part of the edge has no line"


def test_dashes_leave_gaps() -> None:
    data = boxes([5, 5, 50, 30])
    whole = painted(sheet({"a.png": black()}, [layer(data)], width=180), FOUND).sum()
    dashed = painted(sheet({"a.png": black()}, [layer(data, dashed=True)], width=180), FOUND).sum()
    assert 0.4 * whole < dashed < 0.85 * whole


def test_only_the_objects_of_an_image_are_drawn_on_it() -> None:
    pages = {"a.png": black(), "b.png": black()}
    both = [layer(boxes([5, 5, 20, 20]), FOUND), layer(boxes([5, 5, 20, 20], image=1), WRONG)]
    picture = sheet(pages, both, scale=1, width=60)
    assert painted(picture.crop((0, 0, 60, 40)), FOUND).any()
    assert not painted(picture.crop((0, 0, 60, 40)), WRONG).any()
    assert painted(picture.crop((0, 48, 60, 88)), WRONG).any()
    assert not painted(picture.crop((0, 48, 60, 88)), FOUND).any()


def test_a_photograph_that_no_dataset_knows_is_shown_bare() -> None:
    picture = sheet({"c.png": black()}, [layer(boxes([5, 5, 20, 20]))], scale=1, width=60)
    assert not painted(picture.crop((0, 0, 60, 40)), FOUND).any()


def test_captions_and_legend_say_what_is_drawn() -> None:
    data = boxes([5, 20, 50, 15], label="Катя <b>猫</b>\n" + "x" * 300)
    bare = sheet({"a.png": black()}, [layer(data, MISSED)], width=180)
    captioned = sheet({"a.png": black()}, [layer(data, MISSED, captions=True)], width=180)
    assert not painted(bare.crop((0, 0, 180, 57)), MISSED).any()
    assert painted(captioned.crop((0, 0, 180, 57)), MISSED).any(), "the caption stands above its box"
    assert captioned.size == bare.size, "and on one line"
    legend = np.asarray(bare.crop((0, bare.height - 30, bare.width, bare.height)))
    assert len(np.unique(legend.reshape(-1, 3), axis=0)) > 2


def test_a_photograph_may_be_a_file(tmp_path: Path) -> None:
    black().save(tmp_path / "a.png")
    data = [layer(boxes([5, 5, 20, 20]))]
    assert np.array_equal(
        np.asarray(sheet({"a.png": tmp_path / "a.png"}, data)), np.asarray(sheet({"a.png": black()}, data))
    )


@given(sizes=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 90)), min_size=1, max_size=20))
def test_photographs_never_overlap_on_a_sheet(sizes: list[tuple[int, int]]) -> None:
    places, bottom = lay_out(sizes, 300)
    covered = np.zeros((bottom, 300), int)
    for (x, y), (width, height) in zip(places, sizes, strict=True):
        assert x + width <= 300
        covered[y : y + height, x : x + width] += 1
    assert covered.max() == 1
    assert covered.sum() == sum(width * height for width, height in sizes)
