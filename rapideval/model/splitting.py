"""Dividing the images of a dataset: into parts that resemble each other, or down to a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.model.dataset import Dataset

__all__ = ["sample", "split"]

Parts = npt.NDArray[np.int64]


def split(
    dataset: Dataset,
    shares: Mapping[str, float],
    *,
    seed: int = 0,
    stratify: bool = True,
    groups: Sequence[str] | None = None,
) -> dict[str, Dataset]:
    """Divide a dataset by images into parts of given shares.

    Parameters
    ----------
    dataset
        What is divided. Each image goes to one part, with its annotations; every part has all labels.
    shares
        Name and share of each part; shares are above 0 and add up to 1.
    seed
        The same seed gives the same parts, whatever the order of the images.
    stratify
        Give each part, as near as its number of images allows, its share of every label's images, the rarest label
        first (iterative stratification, Sechidis, Tsoumakas and Vlahavas 2011). Without it images are dealt out at
        random.
    groups
        A key for each image; images of one key (a patient, a video, a site) stay together.

    Returns
    -------
    dict of str to Dataset
        In the order of `shares`; images keep their order.

    Raises
    ------
    UsageError
        For shares that do not add up to 1, or fewer groups of images than parts.

    Examples
    --------
    >>> from rapideval import Annotations, Images, Labels
    >>> rows = Annotations(range(10), [0] * 8 + [1] * 2, [[0, 0, 1, 1]] * 10)
    >>> data = Dataset(Images([f"{n}.jpg" for n in range(10)]), Labels(["cat", "dog"]), rows)
    >>> {name: len(part.where(label="dog")) for name, part in split(data, {"train": 0.5, "test": 0.5}).items()}
    {'train': 1, 'test': 1}
    """
    names, fractions = list(shares), np.array(list(shares.values()), np.float64)
    if not names or not (fractions > 0).all() or not math.isclose(fractions.sum(), 1, abs_tol=1e-9):
        given = ", ".join(f"{name}={share:g}" for name, share in shares.items())
        raise UsageError(f"shares {given or 'of no part'}: each is above 0, and they add up to 1")
    group_of, count = _grouped(dataset, groups)
    if count < len(names):
        raise UsageError(
            f"{len(names)} parts of {count} {'groups of images' if groups else 'images'}: there are too few"
        )
    part = _dealt(dataset, group_of, count, fractions, seed, stratify)[group_of]
    return {name: dataset.take_images(part == place) for place, name in enumerate(names)}


def sample(
    dataset: Dataset,
    count: int,
    *,
    seed: int = 0,
    stratify: bool = True,
    groups: Sequence[str] | None = None,
) -> Dataset:
    """Draw images of a dataset, with their annotations.

    Parameters
    ----------
    dataset
        What is drawn from.
    count
        How many images; with `groups`, about as many, as whole groups are drawn.
    seed, stratify, groups
        See `split`.

    Raises
    ------
    UsageError
        For a count that is not from 1 to the number of images.
    """
    total = len(dataset.images)
    if not 1 <= count <= total:
        raise UsageError(f"a sample of {count:,} of {total:,} images: from 1 to {total:,} can be drawn")
    if count == total:
        return dataset
    parts = split(
        dataset, {"drawn": count / total, "left": 1 - count / total}, seed=seed, stratify=stratify, groups=groups
    )
    return parts["drawn"]


def _grouped(dataset: Dataset, groups: Sequence[str] | None) -> tuple[Parts, int]:
    """Number of each image's group, numbered in the order of their keys, and how many there are."""
    keys = list(dataset.images.keys if groups is None else groups)
    if len(keys) != len(dataset.images):
        raise UsageError(f"{len(keys):,} groups for {len(dataset.images):,} images: one for each image is needed")
    if groups is None and len(set(keys)) < len(keys):  # ids tell apart what names do not
        keys = [f"{key} {number}" for key, number in zip(keys, dataset.images.ids.tolist(), strict=True)]  # type: ignore[union-attr]
    number = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array([number[key] for key in keys], np.int64), len(number)


def _dealt(
    dataset: Dataset, group_of: Parts, count: int, fractions: npt.NDArray[np.float64], seed: int, stratify: bool
) -> Parts:
    """Part of each group. Groups are met in an order that only their keys and the seed determine."""
    images = np.bincount(group_of, minlength=count)
    order = np.random.default_rng(seed).permutation(count)
    wanted = _whole(fractions * images.sum(), int(images.sum())).astype(np.float64)
    part = np.full(count, -1, np.int64)
    if stratify:
        _deal_by_label(dataset, group_of, images, order, fractions, wanted, part)
    for group in order[part[order] < 0].tolist():
        _give(group, int(wanted.argmax()), images, wanted, part)
    _fill_empty(images, order, part, len(fractions))
    return part


def _deal_by_label(
    dataset: Dataset,
    group_of: Parts,
    images: Parts,
    order: Parts,
    fractions: npt.NDArray[np.float64],
    wanted: npt.NDArray[np.float64],
    part: Parts,
) -> None:
    """Deal out the groups that have annotations, those of the rarest label first."""
    rows = dataset.annotations
    labels = len(dataset.labels)
    pairs = np.unique(rows.image.astype(np.int64) * max(labels, 1) + rows.label)
    label, group = pairs % max(labels, 1), group_of[pairs // max(labels, 1)]
    # (group, label): how many of the group's images show the label
    cells, amount = np.unique(group * max(labels, 1) + label, return_counts=True)
    cell_group, cell_label = cells // max(labels, 1), cells % max(labels, 1)
    left = np.bincount(cell_label, weights=amount, minlength=labels)
    desired = left[:, None] * fractions
    of_group = np.concatenate([[0], np.cumsum(np.bincount(cell_group, minlength=len(images)))])
    by_label = np.argsort(cell_label, kind="stable")
    of_label = np.concatenate([[0], np.cumsum(np.bincount(cell_label, minlength=labels))])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    names = dataset.labels.names
    open_labels = set(np.flatnonzero(left > 0).tolist())
    while open_labels:
        rarest = min(open_labels, key=lambda place: (left[place], names[place]))
        open_labels.remove(rarest)
        members = cell_group[by_label[of_label[rarest] : of_label[rarest + 1]]]
        for chosen in sorted(members[part[members] < 0].tolist(), key=rank.__getitem__):
            need = np.where(wanted > 0, desired[rarest], -np.inf) if (wanted > 0).any() else desired[rarest]
            best = np.flatnonzero(need >= need.max() - 1e-9)
            place = int(best[wanted[best].argmax()])
            _give(chosen, place, images, wanted, part)
            cell = slice(of_group[chosen], of_group[chosen + 1])
            desired[cell_label[cell], place] -= amount[cell]
            left[cell_label[cell]] -= amount[cell]


def _give(group: int, place: int, images: Parts, wanted: npt.NDArray[np.float64], part: Parts) -> None:
    part[group] = place
    wanted[place] -= images[group]


def _fill_empty(images: Parts, order: Parts, part: Parts, parts: int) -> None:
    """Give a part without any group the smallest group of the part that has the most groups."""
    for place in range(parts):
        if not (part == place).any():
            richest = int(np.bincount(part, minlength=parts).argmax())
            members = order[part[order] == richest]
            part[members[images[members].argmin()]] = place


def _whole(amounts: npt.NDArray[np.float64], total: int) -> Parts:
    """Whole numbers near the amounts that add up to the total (largest remainders)."""
    whole = np.floor(amounts).astype(np.int64)
    rest = total - int(whole.sum())
    whole[np.argsort(whole - amounts, kind="stable")[:rest]] += 1
    return whole
