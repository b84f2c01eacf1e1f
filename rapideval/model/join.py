"""Bringing datasets together: by image key and by label name, never by numbers that happen to agree."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.model.annotations import Annotations
from rapideval.model.columns import refuse, refuse_duplicate_ids
from rapideval.model.dataset import Dataset
from rapideval.model.images import Images

__all__ = ["Aligned", "align", "image_tail", "match_images"]

By = Literal["auto", "name", "tail", "id"]

_ID = re.compile("-?[0-9]{1,18}")


class Aligned(NamedTuple):
    """Ground truth and predictions that speak of the same images and labels.

    Attributes
    ----------
    ground_truth, predictions
        Both with the ground truth's images, in its order, and with equal labels: the ground truth's, then those that
        only the predictions have.
    images_by
        What the images were joined by: ``"name"``, ``"tail"`` (last part of path or URL), ``"id"`` or ``"same"``.
    unknown_images
        Keys of the predictions' images that the ground truth does not have; their predictions are left out.
    left_out
        How many predictions that leaves out.
    unknown_labels
        Names that only the predictions have.
    images_without_answer
        Places of ground-truth images that the predictions do not speak of.
    """

    ground_truth: Dataset
    predictions: Dataset
    images_by: str
    unknown_images: tuple[str, ...]
    left_out: int
    unknown_labels: tuple[str, ...]
    images_without_answer: npt.NDArray[np.int64]


def image_tail(key: str) -> str:
    r"""Last part of a path or URL, without query and fragment.

    Examples
    --------
    >>> image_tail("https://host/a/b%20c.jpg?width=3"), image_tail("s3://bucket/x.png"), image_tail("d\\\\e.jpg")
    ('b c.jpg', 'x.png', 'e.jpg')
    """
    if "://" in key:
        with contextlib.suppress(ValueError):  # what looks like an address and is none stays a path
            from urllib.parse import unquote, urlsplit

            key = unquote(urlsplit(key).path) or key
    return key.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def match_images(images: Images, wanted: Images, by: By = "auto") -> tuple[npt.NDArray[np.int32], str]:
    """Place in `images` of each of the `wanted` images, -1 where it is not there, and what they were joined by.

    ``auto`` tries equal names, then, for those not found, the last part of path or URL, then (only where one side has
    no names) ids.

    Raises
    ------
    InputError
        ``image-ambiguous`` where a name or tail fits several images; ``image-id-conflict`` where no name is shared but
        ids are, so that only a person can say which is meant.
    """
    if images is wanted:
        return np.arange(len(wanted), dtype=np.int32), "same"
    if by == "id" or (by == "auto" and (images.names is None or wanted.names is None)):
        return _match_ids(images, wanted), "id"
    if images.names is None or wanted.names is None:
        refuse("image-name", "images", "images known by id only", f"names, to join by {by}", "join by id")
    assert images.names is not None
    assert wanted.names is not None
    if images.names == wanted.names and len(set(images.names)) == len(images.names):
        return np.arange(len(wanted), dtype=np.int32), "name"
    found = np.full(len(wanted), -1, np.int32)
    used = "name"
    if by in ("auto", "name"):
        found = _match_keys(images.names, wanted.names, np.arange(len(wanted)), found)
    if by == "tail" or (by == "auto" and (found < 0).any()):
        missing = np.flatnonzero(found < 0)
        before = int((found >= 0).sum())
        found = _match_keys(
            [image_tail(name) for name in images.names],
            [image_tail(name) for name in wanted.names],
            missing,
            found,
        )
        if int((found >= 0).sum()) > before:
            used = "name and tail" if before else "tail"
    if by == "auto" and len(wanted) and (found < 0).all() and images.ids is not None and wanted.ids is not None:
        shared = int((_match_ids(images, wanted) >= 0).sum())
        if shared:
            refuse(
                "image-id-conflict",
                "images",
                f"no shared name ({wanted.names[0]!r} against {images.names[0]!r}), but {shared:,} shared ids",
                "images of the same names",
                "if the ids do mean the same images, join by id (--join id)",
            )
    return found, used


def _match_ids(images: Images, wanted: Images) -> npt.NDArray[np.int32]:
    def ids_of(side: Images) -> npt.NDArray[np.int64]:
        if side.ids is not None:
            return side.ids
        keys = side.keys
        no_ids = [key for key in keys if not _ID.fullmatch(key)]
        if no_ids:
            refuse(
                "image-id",
                "images",
                f"names such as {no_ids[0]!r} and no ids",
                "ids on both sides, or names on both",
            )
        ids = np.array([int(key) for key in keys], np.int64)
        refuse_duplicate_ids(ids, "image")
        return ids

    have, want = ids_of(images), ids_of(wanted)
    if np.array_equal(have, want):
        return np.arange(len(want), dtype=np.int32)
    order = np.argsort(have, kind="stable")
    place = np.searchsorted(have[order], want)
    place = np.minimum(place, max(len(have) - 1, 0))
    found = np.full(len(want), -1, np.int32)
    if len(have):
        hit = have[order][place] == want
        found[hit] = order[place[hit]]
    return found


def _match_keys(
    have: Sequence[str], want: Sequence[str], missing: npt.NDArray[Any], found: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    place: dict[str, int] = {}
    ambiguous: set[str] = set()
    for index, key in enumerate(have):
        if place.setdefault(key, index) != index:
            ambiguous.add(key)
    found = found.copy()
    taken = {int(index): -1 for index in found[found >= 0]}
    for index in missing.tolist():
        key = want[index]
        target = place.get(key) if key else None
        if target is None or (target in taken and taken[target] == -1):
            continue
        if key in ambiguous or target in taken:
            refuse(
                "image-ambiguous",
                f"images[{index}]",
                f"{key!r}, which fits several images",
                "a key that tells the images apart",
                "join by full name or by id (--join name, --join id)",
            )
        taken[target] = index
        found[index] = target
    return found


def align(
    ground_truth: Dataset,
    predictions: Dataset,
    *,
    labels: Mapping[str, str] | None = None,
    by: By = "auto",
) -> Aligned:
    """Bring predictions onto the ground truth's images and labels.

    Parameters
    ----------
    ground_truth, predictions
        To be joined.
    labels
        Prediction label name -> ground-truth label name, where they differ.
    by
        What tells that two images are the same: see `match_images`.

    Returns
    -------
    Aligned

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> truth = Dataset(Images(["a.jpg", "b.jpg"]), Labels(["cat"]), Annotations([0], [0], [[0, 0, 2, 2]]))
    >>> found = Annotations([0, 0], [0, 1], [[0, 0, 2, 2], [1, 1, 2, 2]], [0.9, 0.5])
    >>> answer = Dataset(Images(["s3://bucket/b.jpg"]), Labels(["dog", "Cat"]), found)
    >>> joined = align(truth, answer, labels={"Cat": "cat"})
    >>> joined.predictions.annotations.image.tolist(), joined.images_by, joined.unknown_labels
    ([1, 1], 'tail', ('dog',))
    """
    if labels:
        predictions = predictions.relabel({a: b for a, b in labels.items() if a in predictions.labels})
    places, used = match_images(ground_truth.images, predictions.images, by)
    rows = predictions.annotations
    unknown = np.flatnonzero(places < 0)
    keep = None if not len(unknown) else places[rows.image] >= 0
    kept = rows if keep is None else rows.take(keep)
    image = kept.image if used == "same" or _is_identity(places) else places[kept.image]

    names = predictions.labels.names
    if ground_truth.labels.names == names:
        merged, label = ground_truth.labels, kept.label
        new_names: tuple[str, ...] = ()
    else:
        new_names = tuple(name for name in names if name not in ground_truth.labels)
        merged = ground_truth.labels.extended(new_names)
        label_place = np.array([merged.index(name) for name in names], np.int32)
        label = label_place[kept.label] if len(names) else kept.label
    if image is not kept.image or label is not kept.label:
        columns = kept.columns() | {"image": image, "label": label}
        kept = Annotations(**columns)
    answered = np.zeros(len(ground_truth.images), np.bool_)
    answered[places[places >= 0]] = True
    return Aligned(
        ground_truth if merged is ground_truth.labels else ground_truth.replace(labels=merged),
        Dataset(ground_truth.images, merged, kept, predictions.info, predictions.notes),
        used,
        tuple(predictions.images.key(int(i)) for i in unknown),
        len(rows) - len(kept),
        new_names,
        np.flatnonzero(~answered),
    )


def _is_identity(places: npt.NDArray[np.int32]) -> bool:
    return bool(np.array_equal(places, np.arange(len(places), dtype=np.int32)))
