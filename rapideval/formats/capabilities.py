"""What a format can hold, and what of a dataset it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.model import Dataset, Extras

__all__ = ["Capabilities", "Loss", "Losses", "general_losses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a format holds. What it does not hold is counted, by the field's name, before anything is written.

    Attributes
    ----------
    boxes
        Boxes of their own, beside an outline.
    masks
        Pixel masks, exactly. Without it masks become outlines.
    polygons
        Vector outlines.
    holes, parts
        Outlines with holes; outlines of several parts.
    crowd, scores, ids, areas
        The columns of these names.
    attributes, image_attributes, label_attributes
        Fields without a column in the model.
    keypoints
        Keypoints are kept (they are not scored).
    subpixel
        Coordinates that are not whole pixels.
    empty_images
        Images without annotations.
    image_names, image_ids, image_sizes
        What is known of images.
    label_names, label_ids, unused_labels, label_order, supercategories
        What is known of labels. An order is held where reading gives the labels in the order of writing.
    info
        Metadata of the whole dataset.
    convention
        How coordinates are meant, in a sentence.
    index_base
        The first number, where labels or images are numbered.
    specification
        Where the format is defined.
    """

    boxes: bool = True
    masks: bool = False
    polygons: bool = False
    holes: bool = False
    parts: bool = False
    crowd: bool = False
    scores: bool = False
    ids: bool = False
    areas: bool = False
    attributes: bool = False
    image_attributes: bool = False
    label_attributes: bool = False
    keypoints: bool = False
    subpixel: bool = True
    empty_images: bool = False
    image_names: bool = True
    image_ids: bool = False
    image_sizes: bool = False
    label_names: bool = True
    label_ids: bool = False
    unused_labels: bool = False
    label_order: bool = False
    supercategories: bool = False
    info: bool = False
    convention: str
    index_base: str = ""
    specification: str

    @classmethod
    def all_but(cls, *missing: str, convention: str, specification: str, index_base: str = "") -> Capabilities:
        """All there is, but for what is named."""
        held = {field.name: field.name not in missing for field in fields(cls) if field.type == "bool"}
        if set(missing) - held.keys():
            raise TypeError(f"no capability {sorted(set(missing) - held.keys())[0]!r}")
        return cls(**held, convention=convention, specification=specification, index_base=index_base)

    def held(self) -> dict[str, bool]:
        """Each capability and whether it is there."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.type == "bool"}


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of thing that a target cannot hold.

    Attributes
    ----------
    kind
        Name of the capability that is missing, or a format's own.
    count
        How many annotations, images or labels it concerns.
    text
        What is lost, and what is written in its stead.
    """

    kind: str
    count: int
    text: str

    def __str__(self) -> str:
        return f"{self.text} [{self.kind}]"


class Losses(Sequence[Loss]):
    """All that a target cannot hold of a dataset; false where nothing is lost."""

    def __init__(self, items: Sequence[Loss] = ()) -> None:
        self._items = tuple(item for item in items if item.count)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Loss]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Losses) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {item.kind: item.count for item in self._items}

    def to_json(self) -> list[dict[str, Any]]:
        """One object a kind, for reports."""
        return [{"kind": item.kind, "count": item.count, "text": item.text} for item in self._items]

    def __str__(self) -> str:
        return "\n".join(map(str, self._items)) if self._items else "nothing is lost"

    def __repr__(self) -> str:
        return f"Losses({self.counts()})"


def plural(count: int, name: str) -> str:
    """Give a count and its noun: ``"1 image"``, ``"2,000 images"``."""
    return f"{count:,} {name}" + ("" if count == 1 else "s")


def general_losses(dataset: Dataset, capabilities: Capabilities) -> list[Loss]:
    """What of a dataset cannot be held by a format of these capabilities."""
    return [
        Loss(kind, count, text)
        for kind, measure in _MEASURES.items()
        if not getattr(capabilities, kind)
        for count, text in [measure(dataset, capabilities)]
        if count
    ]


# --- how much of each there is ---------------------------------------------------------------------

Measured = tuple[int, str]


def _masks(data: Dataset, target: Capabilities) -> Measured:
    masks = data.annotations.masks
    count = 0 if masks is None else int(masks.present.sum())
    return count, f"{plural(count, 'mask')}: {'written as outlines' if target.polygons else 'left out'}"


def _polygons(data: Dataset, target: Capabilities) -> Measured:
    outlines = data.annotations.polygons
    count = 0 if outlines is None else int(outlines.present.sum())
    return count, f"{plural(count, 'outline')}: {'written as masks' if target.masks else 'left out'}"


def _holes(data: Dataset, target: Capabilities) -> Measured:
    outlines = data.annotations.polygons
    count = 0 if outlines is None else int(outlines.holed.sum())
    return count, f"{plural(count, 'outline')} with holes"


def _parts(data: Dataset, target: Capabilities) -> Measured:
    outlines = data.annotations.polygons
    count = 0 if outlines is None else int((outlines.part_counts > 1).sum())
    return count, f"{plural(count, 'outline')} of several parts"


def _crowd(data: Dataset, target: Capabilities) -> Measured:
    count = int(data.annotations.crowd.sum())
    return count, f"the crowd flag of {plural(count, 'annotation')}"


def _scores(data: Dataset, target: Capabilities) -> Measured:
    count = len(data) if data.scored else 0
    return count, f"{plural(count, 'score')}"


def _ids(data: Dataset, target: Capabilities) -> Measured:
    count = 0 if data.annotations.ids is None else len(data)
    return count, f"the ids of {plural(count, 'annotation')}"


def _areas(data: Dataset, target: Capabilities) -> Measured:
    rows = data.annotations
    count = 0 if "area" in rows.derived else _differing(rows.area[:, None], rows.replace(area=None).area[:, None])
    return count, f"the areas of {plural(count, 'annotation')}, as their source gave them: derived again on reading"


_SAME = 1e-6  # of a pixel: below it, two ways to compute a number
_RELATIVE = 1e-9


def _differing(given: npt.NDArray[np.float64], derived: npt.NDArray[np.float64]) -> int:
    """Rows whose numbers are not what would be derived."""
    return int((np.abs(given - derived) > _SAME + _RELATIVE * np.abs(derived)).any(axis=1).sum())


def _boxes(data: Dataset, target: Capabilities) -> Measured:
    rows = data.annotations
    drawn = np.zeros(len(rows), np.bool_)  # a box that has nothing beside it is what is written
    if "box" not in rows.derived:
        for column in (rows.polygons, rows.masks):
            drawn |= False if column is None else column.present
    chosen = rows.take(drawn)
    count = _differing(chosen.box, chosen.replace(box=None).box) if drawn.any() else 0
    return count, f"the boxes of {plural(count, 'annotation')}, as their source gave them: derived again on reading"


def _further(extras: Extras | None, name: str) -> Measured:
    count = 0 if extras is None else int(extras.present.sum())
    return count, f"further fields of {plural(count, name)}"


def _attributes(data: Dataset, target: Capabilities) -> Measured:
    return _further(data.annotations.extras, "annotation")


def _image_attributes(data: Dataset, target: Capabilities) -> Measured:
    return _further(data.images.extras, "image")


def _label_attributes(data: Dataset, target: Capabilities) -> Measured:
    return _further(data.labels.extras, "label")


def _keypoints(data: Dataset, target: Capabilities) -> Measured:
    extras = data.annotations.extras
    count = 0 if extras is None else extras.data.count(b'"keypoints":') + extras.data.count(b'"keypoints" :')
    return count, f"the keypoints of {plural(count, 'annotation')}"


def _subpixel(data: Dataset, target: Capabilities) -> Measured:
    rows = data.annotations
    count = int((rows.box != np.floor(rows.box)).any(axis=1).sum())
    return count, f"fractions of a pixel of {count:,} boxes"


def _empty_images(data: Dataset, target: Capabilities) -> Measured:
    count = len(data.images) - len(np.unique(data.annotations.image))
    return count, f"{plural(count, 'image')} without annotations"


def _image_names(data: Dataset, target: Capabilities) -> Measured:
    count = 0 if data.images.names is None else len(data.images)
    return count, f"the names of {plural(count, 'image')}"


def _image_ids(data: Dataset, target: Capabilities) -> Measured:
    count = 0 if data.images.ids is None or data.images.names is None else len(data.images)
    return count, f"the ids of {plural(count, 'image')}"


def _image_sizes(data: Dataset, target: Capabilities) -> Measured:
    count = int(data.images.sizes_known.sum())
    return count, f"the sizes of {plural(count, 'image')}"


def _label_names(data: Dataset, target: Capabilities) -> Measured:
    count = len(data.labels)
    return count, f"the names of {plural(count, 'label')}"


def _label_ids(data: Dataset, target: Capabilities) -> Measured:
    count = 0 if data.labels.ids is None else len(data.labels)
    return count, f"the ids of {plural(count, 'label')}"


def _unused_labels(data: Dataset, target: Capabilities) -> Measured:
    count = len(data.labels) - len(np.unique(data.annotations.label))
    return count, f"{plural(count, 'label')} without annotations"


def _label_order(data: Dataset, target: Capabilities) -> Measured:
    count = len(data.labels) if len(data.labels) > 1 else 0
    return count, f"the order of {plural(count, 'label')}"


def _supercategories(data: Dataset, target: Capabilities) -> Measured:
    count = sum(1 for name in data.labels.supercategories or () if name)
    return count, f"the supercategories of {plural(count, 'label')}"


def _info(data: Dataset, target: Capabilities) -> Measured:
    count = len(data.info)
    return count, f"metadata of the dataset ({', '.join(sorted(data.info)[:5])})"


_MEASURES: dict[str, Callable[[Dataset, Capabilities], Measured]] = {
    "boxes": _boxes,
    "masks": _masks,
    "polygons": _polygons,
    "holes": _holes,
    "parts": _parts,
    "crowd": _crowd,
    "scores": _scores,
    "ids": _ids,
    "areas": _areas,
    "attributes": _attributes,
    "image_attributes": _image_attributes,
    "label_attributes": _label_attributes,
    "keypoints": _keypoints,
    "subpixel": _subpixel,
    "empty_images": _empty_images,
    "image_names": _image_names,
    "image_ids": _image_ids,
    "image_sizes": _image_sizes,
    "label_names": _label_names,
    "label_ids": _label_ids,
    "unused_labels": _unused_labels,
    "label_order": _label_order,
    "supercategories": _supercategories,
    "info": _info,
}
