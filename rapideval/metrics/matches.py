"""The match table: what became of every detection and every object. All metrics are counted from it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rapideval.metrics.protocol import Protocol
from rapideval.model import Images, Labels
from rapideval.model.columns import Frozen, column, refuse

__all__ = ["Matches", "Objects"]


class Objects(Frozen):
    """The ground truth's side of a match table: one row for each annotation, in the dataset's order.

    Attributes
    ----------
    image, label : int32 array of shape (G,)
        Places in the images and labels.
    ignored : uint64 array of shape (G,)
        Bit a: the object does not count in area range a (a crowd counts in none).
    matched : uint64 array of shape (G, W)
        Bit a·T + t: a detection is matched to it in area range a at IoU threshold t.
    """

    __slots__ = ("ignored", "image", "label", "matched")
    image: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    ignored: npt.NDArray[np.uint64]
    matched: npt.NDArray[np.uint64]

    def __init__(
        self, image: npt.ArrayLike, label: npt.ArrayLike, ignored: npt.ArrayLike, matched: npt.NDArray[np.uint64]
    ) -> None:
        images = column(image, np.int32, "objects.image")
        self._set(
            image=images,
            label=column(label, np.int32, "objects.label", len(images)),
            ignored=column(ignored, np.uint64, "objects.ignored", len(images)),
            matched=column(matched, np.uint64, "objects.matched", len(images), matched.shape[1]),
        )

    def __len__(self) -> int:
        return len(self.image)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Objects:
        """The chosen objects."""
        return Objects(self.image[rows], self.label[rows], self.ignored[rows], self.matched[rows])


class Matches(Frozen):
    """What became of every detection: the one table that every metric of detection is counted from.

    **Rows.** One for each detection that is kept: the best ``limits[-1]`` of each cell (image and label; image alone
    where the protocol is class-agnostic). They stand by label, then by falling score, then by the images' order of
    ids, then by rank: so walking a label's rows is walking its precision-recall curve, and resampled or re-weighted
    numbers need no new sort and no new matching.

    **Bits.** `matched` and `ignored` hold a bit for each area range and IoU threshold: bit ``a * T + t`` (from the
    lowest of the first word) of W = ceil(T·A / 64) words. At one bit a row is

    =========  =========  ==============================================================
    `matched`  `ignored`  meaning
    =========  =========  ==============================================================
    1          0          a true positive
    0          0          a false positive
    1          1          matched to an ignored object (crowd, other size): not counted
    0          1          matched to nothing, and itself of another size: not counted
    =========  =========  ==============================================================

    Attributes
    ----------
    protocol, images, labels
        What it was made with. `labels` begins with the ground truth's; those after them only the predictions have.
    truth_labels : int
        How many labels the ground truth knows: ``labels[truth_labels:]`` are the predictions' own.
    label_offsets : int64 array of shape (K + 1,)
        The rows of label k are ``label_offsets[k]:label_offsets[k + 1]``; (2,) where class-agnostic.
    row : int32 array of shape (D,)
        The detection's row in the predictions *as aligned to the ground truth*, that is `Aligned.predictions`.
    image, label : int32 array of shape (D,)
        Places in `images` and `labels`.
    score : float64 array of shape (D,)
    rank : int32 array of shape (D,)
        Place in its cell by falling score, from 0; a detection counts under limit m if its rank is below m.
    iou : float64 array of shape (D,)
        Best IoU with an object of its cell that is not ignored as a whole (no crowd), matched or not; 0 where it is
        below the protocol's `iou_floor`.
    iou_row : int32 array of shape (D,)
        Row of that object in `objects`, or -1.
    matched_iou : float64 array of shape (D,)
        IoU with the object it is matched to at ``protocol.reference_iou`` in the first area range; 0 where unmatched.
    matched_row : int32 array of shape (D,)
        Row of that object in `objects` (crowds and ignored ones too), or -1.
    matched, ignored : uint64 array of shape (D, W)
        See above.
    objects : Objects
        The other side: which objects count, and which are found.
    other_iou, other_row : float64, int32 array of shape (D,), optional
        As `iou` and `iou_row`, with the objects of *other* labels of the image: for confusions and causes of errors.
        None until asked for (`rapideval.metrics.with_other_labels`).
    """

    __slots__ = (
        "ignored",
        "image",
        "images",
        "iou",
        "iou_row",
        "label",
        "label_offsets",
        "labels",
        "matched",
        "matched_iou",
        "matched_row",
        "objects",
        "other_iou",
        "other_row",
        "protocol",
        "rank",
        "row",
        "score",
        "truth_labels",
    )
    protocol: Protocol
    images: Images
    labels: Labels
    truth_labels: int
    label_offsets: npt.NDArray[np.int64]
    row: npt.NDArray[np.int32]
    image: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    score: npt.NDArray[np.float64]
    rank: npt.NDArray[np.int32]
    iou: npt.NDArray[np.float64]
    iou_row: npt.NDArray[np.int32]
    matched_iou: npt.NDArray[np.float64]
    matched_row: npt.NDArray[np.int32]
    matched: npt.NDArray[np.uint64]
    ignored: npt.NDArray[np.uint64]
    objects: Objects
    other_iou: npt.NDArray[np.float64] | None
    other_row: npt.NDArray[np.int32] | None

    def __init__(
        self,
        *,
        protocol: Protocol,
        images: Images,
        labels: Labels,
        truth_labels: int,
        label_offsets: npt.ArrayLike,
        row: npt.ArrayLike,
        image: npt.ArrayLike,
        score: npt.ArrayLike,
        rank: npt.ArrayLike,
        iou: npt.ArrayLike,
        iou_row: npt.ArrayLike,
        matched_iou: npt.ArrayLike,
        matched_row: npt.ArrayLike,
        matched: npt.ArrayLike,
        ignored: npt.ArrayLike,
        objects: Objects,
        label: npt.ArrayLike | None = None,
        other_iou: npt.ArrayLike | None = None,
        other_row: npt.ArrayLike | None = None,
    ) -> None:
        rows = column(row, np.int32, "row")
        count = len(rows)
        width = -(-len(protocol.iou_thresholds) * len(protocol.area_ranges) // 64)
        offsets = column(label_offsets, np.int64, "label_offsets")
        blocks = 1 if protocol.class_agnostic else len(labels)
        if len(offsets) != blocks + 1 or offsets[0] != 0 or offsets[-1] != count or (np.diff(offsets) < 0).any():
            refuse("column-offsets", "label_offsets", "offsets that do not fit", f"{blocks + 1} from 0 to {count}")
        if label is None:
            if protocol.class_agnostic:
                refuse("column-missing", "label", "no label column", "one, in a class-agnostic table")
            label = np.repeat(np.arange(blocks, dtype=np.int32), np.diff(offsets))
        values: dict[str, Any] = {"row": rows, "label_offsets": offsets}
        floats = {"score": score, "iou": iou, "matched_iou": matched_iou, "other_iou": other_iou}
        places = {
            "image": image,
            "label": label,
            "rank": rank,
            "iou_row": iou_row,
            "matched_row": matched_row,
            "other_row": other_row,
        }
        for name, value in floats.items():
            values[name] = None if value is None else column(value, np.float64, name, count)
        for name, value in places.items():
            values[name] = None if value is None else column(value, np.int32, name, count)
        values["matched"] = column(matched, np.uint64, "matched", count, width)
        values["ignored"] = column(ignored, np.uint64, "ignored", count, width)
        _check_range("image", values["image"], 0, len(images))
        _check_range("label", values["label"], 0, len(labels))
        _check_range("objects.image", objects.image, 0, len(images))
        _check_range("objects.label", objects.label, 0, truth_labels)
        for name in ("iou_row", "matched_row", "other_row"):
            if values[name] is not None:
                _check_range(name, values[name], -1, len(objects))
        self._set(protocol=protocol, images=images, labels=labels, truth_labels=truth_labels, objects=objects, **values)

    def __len__(self) -> int:
        return len(self.row)

    # --- bits ------------------------------------------------------------------------------------
    #
    # Where no IoU threshold is named, it is the protocol's reference; where no area range, the first (all sizes).

    def _bits(self, words: npt.NDArray[np.uint64], threshold: int, area: int) -> npt.NDArray[np.bool_]:
        bit = area * len(self.protocol.iou_thresholds) + threshold
        chosen: npt.NDArray[np.bool_] = (words[:, bit // 64] & np.uint64(1 << (bit % 64))) != 0
        return chosen

    def is_matched(self, iou: float | None = None, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which detections are matched to an object, ignored or not, (D,)."""
        return self._bits(self.matched, self.protocol.threshold_place(iou), self.protocol.area_place(area))

    def is_ignored(self, iou: float | None = None, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which detections count neither as true nor as false, (D,)."""
        return self._bits(self.ignored, self.protocol.threshold_place(iou), self.protocol.area_place(area))

    def is_true(self, iou: float | None = None, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which detections are true positives, (D,)."""
        return self.is_matched(iou, area) & ~self.is_ignored(iou, area)

    def is_false(self, iou: float | None = None, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which detections are false positives, (D,)."""
        return ~self.is_matched(iou, area) & ~self.is_ignored(iou, area)

    def object_counts(self, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which objects count, (G,)."""
        bit = np.uint64(1 << self.protocol.area_place(area))
        counts: npt.NDArray[np.bool_] = (self.objects.ignored & bit) == 0
        return counts

    def object_is_found(self, iou: float | None = None, area: str | None = None) -> npt.NDArray[np.bool_]:
        """Which objects have a detection matched to them, whatever its score, (G,)."""
        return self._bits(self.objects.matched, self.protocol.threshold_place(iou), self.protocol.area_place(area))

    def positives(self) -> npt.NDArray[np.int64]:
        """How many objects count, by block of rows (label; one where class-agnostic) and area range, (K, A)."""
        blocks = len(self.label_offsets) - 1
        label = np.zeros(len(self.objects), np.int32) if self.protocol.class_agnostic else self.objects.label
        counts = [
            np.bincount(label[self.object_counts(area.name)], minlength=blocks) for area in self.protocol.area_ranges
        ]
        return np.stack(counts, axis=1).astype(np.int64, copy=False)

    # --- choosing --------------------------------------------------------------------------------

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """The chosen detections, (D,) booleans, in their order; all objects stay."""
        before = np.concatenate([[0], np.cumsum(rows)])
        changes: dict[str, Any] = {"label_offsets": before[self.label_offsets]}
        for name in _ROW_COLUMNS:
            value = getattr(self, name)
            changes[name] = None if value is None else value[rows]
        return self.replace(**changes)

    def in_images(self, images: npt.NDArray[np.bool_]) -> Self:
        """The detections and objects of some images, (I,) booleans: a slice of the evaluation.

        Images keep their places. `iou_row`, `matched_row` and `other_row` speak of the objects that are left.
        """
        kept = images[self.objects.image]
        place = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        part = self.take(images[self.image])
        changes: dict[str, Any] = {"objects": self.objects.take(kept)}
        for name in ("iou_row", "matched_row", "other_row"):
            value = getattr(part, name)
            changes[name] = None if value is None or not len(place) else np.where(value < 0, -1, place[value])
        return part.replace(**{name: value for name, value in changes.items() if value is not None})

    def replace(self, **changes: Any) -> Self:
        """The same table with some parts replaced."""
        names = [name for name in self.__slots__ if not name.startswith("_")]
        return type(self)(**({name: getattr(self, name) for name in names} | changes))

    # --- identity --------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """Hash of the table's content: ``"sha256:"`` and 64 hexadecimal digits."""
        import hashlib

        digest = hashlib.sha256(self.protocol.fingerprint().encode())
        for names in (self.images.keys, self.labels.names):
            digest.update("\0".join(names).encode("utf-8", "surrogatepass") + b"\n")
        for name in ("label_offsets", *_ROW_COLUMNS):
            value = getattr(self, name)
            if value is not None and not name.startswith("other"):
                digest.update(f"{name} {len(value)}\n".encode() + np.ascontiguousarray(value).tobytes())
        for name in ("image", "label", "ignored", "matched"):
            digest.update(getattr(self.objects, name).tobytes())
        return f"sha256:{digest.hexdigest()}"

    def __repr__(self) -> str:
        return (
            f"Matches({len(self):,} detections, {len(self.objects):,} objects, {len(self.images):,} images, "
            f"{len(self.labels):,} labels)"
        )


_ROW_COLUMNS = (
    "row",
    "image",
    "label",
    "score",
    "rank",
    "iou",
    "iou_row",
    "matched_iou",
    "matched_row",
    "matched",
    "ignored",
    "other_iou",
    "other_row",
)


def _check_range(name: str, values: npt.NDArray[Any], low: int, high: int) -> None:
    if len(values) and (values.min() < low or values.max() >= high):
        refuse("column-range", name, f"{values.min()} to {values.max()}", f"from {low} to below {high}")
