"""Pictures of indexes, in which Scale has segmentations: read where they are files beside the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rapideval.formats.common.documents import inside
from rapideval.formats.common.nodes import Node, guarded
from rapideval.formats.common.png import decoded_png
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.model import Masks

__all__ = ["Segment", "add_segments", "mapped", "segments_of"]


class Segment(NamedTuple):
    """What a number of the picture is: a label, or one object of it."""

    label: str
    number: int
    extras: Mapping[str, Any]
    node: Node


def mapped(mapping: Node) -> Iterator[Segment]:
    """Segments of a ``labelMapping``: by label, one of them or several."""
    for label, entry in mapping.entries():
        for node in entry if isinstance(entry.value, list) else [entry]:
            yield Segment(label, node["index"].whole(0), {}, node)


def segments_of(listed: Node) -> Iterator[Segment]:
    """Segments of Nucleus: a list of labels and numbers."""
    for node in listed:
        extras = node["metadata"].members() if "metadata" in node else {}
        index = node["index"]
        text = index.value  # Nucleus's own examples have numbers as text
        number = int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else index.whole(0)
        yield Segment(node["label"].text(), number, extras, node)


def add_segments(
    picture: Node, segments: Iterator[Segment], place: int, document: Source, found: Gathered, skipped: dict[str, int]
) -> None:
    """Add a mask for each segment that has a pixel; nothing is fetched where the picture is an address.

    Parameters
    ----------
    picture
        The path of a PNG of one channel, relative to the document.
    segments, place
        What its numbers are, and of which image.
    document
        Whose folder the picture is in.
    found, skipped
        Where masks go, and counts of what is left out.
    """
    name = picture.text()
    if "://" in name or document.path is None:
        kind = "segmentation by address, which is not fetched"
        skipped[kind] = skipped.get(kind, 0) + 1
        return
    pixels = _pixels(picture, name, document.path.parent)
    height, width = (int(side) for side in pixels.shape)
    found.size(place, (height, width), picture.path)
    known = []
    for segment in segments:
        with guarded():
            known.append(segment.number)
            label = found.label(segment.label)
            mask = pixels == segment.number
            if mask.any():
                at = segment.node.place
                found.add(place, label, mask=Masks.from_dense(mask), extras=segment.extras, at=at)
            else:
                skipped["segment without a pixel"] = skipped.get("segment without a pixel", 0) + 1
    unknown = np.setdiff1d(pixels, [0, *known])  # 0 is what nobody labelled
    if len(unknown):
        numbers = ", ".join(map(str, unknown[:5].tolist()))
        picture.refuse("scale-index", f"pixels of the numbers {numbers}", "numbers that a label is given for")


def _pixels(picture: Node, name: str, folder: Path) -> Any:
    from rapideval.errors import UsageError

    try:
        data = inside(folder, name).read_bytes()
        return decoded_png(data)
    except UsageError:
        picture.refuse("scale-picture", repr(name), "a path within the folder of the document")
    except FileNotFoundError:
        picture.refuse("scale-picture", f"no file {name!r}", "one beside the document", "fetch the picture first")
    except (OSError, ValueError) as error:  # PngError is a ValueError, so is a NUL in a name
        picture.refuse("scale-picture", str(error), "a PNG of one channel")
