"""COCO documents drawn at random, as Python objects and as text in many ways of writing it."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

ids = st.one_of(st.integers(-3, 9), st.integers(-(2**63), 2**63 - 1))
numbers = st.one_of(
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 640, width=32),
    st.decimals(0, 999, places=2).map(float),
)
words = st.text(max_size=6).filter(lambda text: text.isprintable() or "\n" in text)
others = st.dictionaries(
    st.sampled_from(["attributes", "keypoints", "caption", "ignore", "\u00e9t\u00e9", 'a"b']),
    st.sampled_from([None, True, 1.5, "x},{y", [1, [2, {"id": 3}]], {"bbox": [1], "a": {}}, "\U0001f600"]),
    max_size=2,
)


@st.composite
def run_lengths(draw):
    """A small mask as an RLE object of either kind."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    seed = draw(st.integers(0, 99))
    dense = np.asfortranarray(np.random.default_rng(seed).random((height, width)) < 0.4, np.uint8)
    text = coco_mask.encode(dense)["counts"].decode()
    counts: Any = text
    if draw(st.booleans()):
        flat = np.concatenate([[0], dense.ravel("F"), [2]]).astype(int)
        edges = np.flatnonzero(np.diff(flat))
        counts = np.diff(np.concatenate([[0], edges])).tolist() if flat[1] == 0 else [0, *np.diff(edges).tolist()]
    return draw(
        st.sampled_from([{"size": [height, width], "counts": counts}, {"counts": counts, "size": [height, width]}])
    )


rings = st.lists(numbers, min_size=6, max_size=10).map(lambda ring: ring[: len(ring) // 2 * 2])
segmentations = st.one_of(run_lengths(), st.lists(rings, max_size=3), st.none())


@st.composite
def annotations(draw, text_ids=False):
    """One annotation, with any of the known members and some unknown ones, in any order."""
    image = draw(words) if text_ids else draw(ids)
    row: dict[str, Any] = {"image_id": image, "category_id": draw(ids)}
    optional = {
        "bbox": st.lists(numbers, min_size=4, max_size=4),
        "score": numbers,
        "area": st.one_of(numbers, st.none()),
        "iscrowd": st.sampled_from([0, 1, True, False, 1.0, None]),
        "id": ids,
        "segmentation": segmentations,
    }
    for name in draw(st.sets(st.sampled_from(sorted(optional)))):
        row[name] = draw(optional[name])
    row |= draw(others)
    order = draw(st.permutations(sorted(row)))
    return {name: row[name] for name in order}


def rows(text_ids=False, max_size=12):
    """Rows of annotations, alike or not."""
    row = annotations(text_ids)
    return st.one_of(
        st.lists(row, max_size=max_size), st.tuples(row, st.integers(1, max_size)).map(lambda p: [p[0]] * p[1])
    )


def written(document: Any, seed: int) -> bytes:
    """The text of a document with white space anywhere it may stand, and names and text escaped now and then."""
    draw = random.Random(seed)
    plain = draw.random() < 0.3

    def space() -> str:
        return "" if plain or draw.random() < 0.5 else draw.choice([" ", "  ", "\n", "\r\n\t", " " * 20])

    def text(value: str) -> str:
        if draw.random() < 0.2:
            return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in value) + '"'
        return json.dumps(value, ensure_ascii=draw.random() < 0.5)

    def value(item: Any) -> str:
        if isinstance(item, str):
            return text(item)
        if isinstance(item, dict):
            inner = ("," + space()).join(
                space() + text(k) + space() + ":" + space() + value(v) + space() for k, v in item.items()
            )
            return "{" + (inner or space()) + "}"
        if isinstance(item, list):
            return "[" + ("," + space()).join(space() + value(v) + space() for v in item) + space() + "]"
        return json.dumps(item)

    return (space() + value(document) + space()).encode()
