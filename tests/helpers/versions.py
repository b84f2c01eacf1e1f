"""Simulated model versions on one holdout, for tests of comparisons."""

import numpy as np

from rapideval import Annotations, Dataset, Images, Labels, Masks


def holdout(images: int = 150, labels: int = 3, seed: int = 0, per_image: float = 4.0) -> Dataset:
    """Boxes of several labels on images of 640 x 640."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(per_image, images)
    image = np.repeat(np.arange(images), counts)
    box = np.hstack([rng.uniform(0, 520, (len(image), 2)), np.exp(rng.normal(4, 0.6, (len(image), 2))).clip(8, 120)])
    return Dataset(
        Images([f"{i:04d}.jpg" for i in range(images)], sizes=[[640, 640]] * images),
        Labels([f"label {k}" for k in range(labels)]),
        Annotations(image, rng.integers(0, labels, len(image)), box),
    )


def detector(truth: Dataset, seed: int, recall: float = 0.8, noise: float = 0.1, spurious: float = 2.0) -> Dataset:
    """Answers of a detector that finds each object with probability `recall` and adds false positives.

    Some images are harder than others, for all versions alike, so that detections of one image hang together.
    """
    rng = np.random.default_rng(seed)
    rows = truth.annotations
    hardness = np.random.default_rng(999).normal(0, 0.15, len(truth.images))
    found = rng.random(len(rows)) < np.clip(recall - hardness[rows.image], 0, 1)
    near = rows.box[found]
    shift = rng.normal(0, noise, near.shape) * np.tile(near[:, 2:], 2)
    moved = near + shift
    moved[:, 2:] = np.maximum(moved[:, 2:], 2)
    counts = rng.poisson(spurious, len(truth.images))
    image = np.repeat(np.arange(len(truth.images)), counts)
    box = np.hstack([rng.uniform(0, 520, (len(image), 2)), np.exp(rng.normal(4, 0.6, (len(image), 2))).clip(8, 120)])
    score = np.concatenate([rng.beta(4, 2, len(near)), rng.beta(2, 4, len(image))])
    return Dataset(
        truth.images,
        truth.labels,
        Annotations(
            np.concatenate([rows.image[found], image]),
            np.concatenate([rows.label[found], rng.integers(0, len(truth.labels), len(image))]),
            np.concatenate([moved, box]),
            score,
        ),
    )


def label_maps(images: int = 40, labels: int = 3, seed: int = 0, side: int = 24) -> Dataset:
    """Semantic ground truth: blocks of labels."""
    rng = np.random.default_rng(seed)
    image, label, masks = [], [], []
    for i in range(images):
        blocks = rng.integers(0, labels, (side // 8, side // 8)).repeat(8, 0).repeat(8, 1)
        for k in range(labels):
            if (blocks == k).any():
                image.append(i)
                label.append(k)
                masks.append(Masks.from_dense(blocks == k))
    names = Images([f"{i}.png" for i in range(images)], sizes=[[side, side]] * images)
    return Dataset(
        names, Labels([f"label {k}" for k in range(labels)]), Annotations(image, label, masks=Masks.concat(masks))
    )


def segmenter(truth: Dataset, seed: int, right: float = 0.85) -> Dataset:
    """Answers that give each pixel its label with probability `right`, else none."""
    rng = np.random.default_rng(seed)
    masks = [mask & (rng.random(mask.shape) < right) for mask in (a.mask for a in truth) if mask is not None]
    rows = truth.annotations
    drawn = Masks.concat([Masks.from_dense(mask) for mask in masks])
    return Dataset(truth.images, truth.labels, Annotations(rows.image, rows.label, masks=drawn))
