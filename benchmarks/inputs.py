"""Inputs of the benchmarks, made once from a fixed seed.

Ground truth is every non-crowd box of COCO val2017 (``../shared/data/coco-val2017-boxes``); without that folder,
a synthetic truth of the same statistics stands in, and the table says so. Predictions are like a detector's, not
jittered truth: scores that overlap between right and wrong, duplicates, confusion within groups of look-alike classes,
and many low-score false positives.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data" / "coco-val2017-boxes" / "coco_val2017.txt"
DETECTIONS_PER_IMAGE = 100
MASKS_PER_IMAGE = 36
IMAGES = 5000


def truth(images: int, seed: int = 0) -> tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where it is from, and per object image (N,), class 1..80 (N,), box x, y, w, h (N, 4); image sizes (I, 2)."""
    rng = np.random.default_rng(seed)
    image, label, box = [], [], []
    if SHARED.exists():
        source = "COCO val2017 boxes"
        lines = SHARED.read_text().split("\n")
        lines = [line for line in lines if line.strip()]
        for row in range(images):
            # Beyond the real images they come round again, and a few images have no object at all.
            if row % IMAGES >= len(lines):
                continue
            fields = lines[row % IMAGES].split()[1:]
            values = np.array(fields, np.float64).reshape(-1, 5)
            ymin, xmin, ymax, xmax, cls = values.T
            image.append(np.full(len(values), row))
            label.append(cls.astype(np.int64))
            box.append(np.stack([xmin, ymin, np.maximum(xmax - xmin, 1), np.maximum(ymax - ymin, 1)], axis=1))
    else:
        source = "synthetic truth (no COCO val2017 boxes at hand)"
        popularity = 1 / np.arange(1, 81) ** 0.9
        popularity /= popularity.sum()
        for row in range(images):
            count = min(int(rng.lognormal(1.5, 0.9)), 60)
            size = np.exp(rng.normal(4.2, 1.0, (count, 2))).clip(4, 400)
            corner = rng.uniform(0, 640, (count, 2)) * (1 - size / 640).clip(0.05, 1)
            image.append(np.full(count, row))
            label.append(rng.choice(80, count, p=popularity) + 1)
            box.append(np.round(np.hstack([corner, size])))
    boxes = np.concatenate(box)
    images_of = np.concatenate(image)
    sizes = np.full((images, 2), 480)
    np.maximum.at(sizes, (images_of, 0), np.ceil(boxes[:, 1] + boxes[:, 3]).astype(int))
    np.maximum.at(sizes, (images_of, 1), np.ceil(boxes[:, 0] + boxes[:, 2]).astype(int))
    return source, images_of, np.concatenate(label), boxes, sizes


def detections(
    images_of: np.ndarray, labels: np.ndarray, boxes: np.ndarray, sizes: np.ndarray, per_image: int, seed: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Detector-like predictions: image, class, box, score, and the object each was made from (-1: none)."""
    rng = np.random.default_rng(seed)
    count = len(sizes) * per_image
    image = np.repeat(np.arange(len(sizes)), per_image)
    start = np.searchsorted(images_of, np.arange(len(sizes)))
    objects = np.bincount(images_of, minlength=len(sizes))
    slot = np.tile(np.arange(per_image), len(sizes))
    # The first slots go to the objects themselves, the next to duplicates of them, the rest to background.
    n = objects[image]
    origin = np.full(count, -1)
    first, second = slot < n, (slot >= n) & (slot < 2 * n)
    origin[first] = start[image[first]] + slot[first]
    origin[second] = start[image[second]] + slot[second] - n[second]
    missed = (origin >= 0) & (rng.random(count) < np.where(first, 0.15, 0.45))
    origin[missed] = -1
    real = origin >= 0

    width, height = sizes[image, 1], sizes[image, 0]
    extent = np.exp(rng.normal(4.0, 1.0, (count, 2))).clip(3, 400)
    corner = rng.random((count, 2)) * np.stack([width, height], 1) * 0.9
    box = np.hstack([corner, extent])
    quality = rng.beta(5, 1.6, count) * np.where(first, 1, 0.75)
    shift = rng.normal(0, 1, (count, 4)) * (1 - quality)[:, None] * 0.35
    base = boxes[np.maximum(origin, 0)]
    moved = base.copy()
    moved[:, :2] += shift[:, :2] * base[:, 2:]
    moved[:, 2:] *= np.exp(shift[:, 2:])
    box[real] = moved[real]

    score = rng.beta(0.6, 7, count)
    score[real] = rng.beta(2, 2, real.sum()) * 0.55 + quality[real] * 0.45
    score[second & real] *= 0.6
    label = rng.choice(labels, count)
    label[real] = labels[origin[real]]
    # Look-alikes stand beside each other in COCO's order (car, bus, train, truck; cat, dog, ...).
    confused = real & (rng.random(count) < 0.12)
    label[confused] = np.clip(label[confused] + rng.integers(-2, 3, confused.sum()), 1, 80)
    score[confused] *= 0.7
    return image, label, np.round(box.clip(0), 2), np.round(score, 5), np.where(real, origin, -1)


def coco_ids() -> np.ndarray:
    """COCO's category ids of the classes 1..80, with their gaps."""
    gaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    return np.array([0, *(i for i in range(1, 91) if i not in gaps)])


def write_truth(
    path: Path,
    images_of: np.ndarray,
    labels: np.ndarray,
    boxes: np.ndarray,
    sizes: np.ndarray,
    outlines: list[list[float]] | None = None,
) -> None:
    """Ground truth as COCO writes it."""
    ids = coco_ids()
    annotations = [
        {
            "segmentation": [outlines[i]] if outlines else [],
            "area": float(b[2] * b[3]),
            "iscrowd": 0,
            "image_id": int(image) + 1,
            "bbox": b.tolist(),
            "category_id": int(ids[label]),
            "id": i + 1,
        }
        for i, (image, label, b) in enumerate(zip(images_of, labels, boxes, strict=True))
    ]
    document = {
        "images": [
            {"id": i + 1, "file_name": f"{i + 1:012d}.jpg", "height": int(h), "width": int(w)}
            for i, (h, w) in enumerate(sizes)
        ],
        "annotations": annotations,
        "categories": [{"id": int(ids[c]), "name": f"class {c}", "supercategory": "thing"} for c in range(1, 81)],
    }
    path.write_text(json.dumps(document))


def make_boxes(folder: Path, images: int) -> str:
    """``gt.json`` and ``dt.json`` of a detection benchmark."""
    source, images_of, labels, boxes, sizes = truth(images)
    write_truth(folder / "gt.json", images_of, labels, boxes, sizes)
    image, label, box, score, _ = detections(images_of, labels, boxes, sizes, DETECTIONS_PER_IMAGE)
    ids = coco_ids()[label]
    with open(folder / "dt.json", "w") as file:
        file.write("[")
        for i, (im, c, b, s) in enumerate(
            zip((image + 1).tolist(), ids.tolist(), box.tolist(), score.tolist(), strict=True)
        ):
            text = json.dumps({"image_id": im, "category_id": c, "bbox": b, "score": s})
            file.write((", " if i else "") + text)
        file.write("]")
    return source


def outline(box: np.ndarray, rng: np.random.Generator, roughness: float = 0.15) -> list[float]:
    """A closed outline of 12 to 40 points inside a box: a wobbly ellipse, as an annotator's polygon is."""
    points = int(rng.integers(12, 41))
    angle = np.sort(rng.uniform(0, 2 * np.pi, points))
    radius = 1 - rng.random(points) * roughness
    x = box[0] + box[2] / 2 * (1 + radius * np.cos(angle))
    y = box[1] + box[3] / 2 * (1 + radius * np.sin(angle))
    return np.round(np.stack([x, y], 1).reshape(-1), 2).tolist()


def make_masks(folder: Path, images: int) -> str:
    """``gt.json`` with polygons and ``dt.json`` with compressed run-lengths."""
    from pycocotools import mask as coco_mask

    source, images_of, labels, boxes, sizes = truth(images)
    rng = np.random.default_rng(2)
    outlines = [outline(b, rng) for b in boxes]
    write_truth(folder / "gt.json", images_of, labels, boxes, sizes, outlines)
    image, label, box, score, origin = detections(images_of, labels, boxes, sizes, MASKS_PER_IMAGE, seed=3)
    ids = coco_ids()[label]
    with open(folder / "dt.json", "w") as file:
        file.write("[")
        for i in range(len(image)):
            height, width = (int(v) for v in sizes[image[i]])
            if origin[i] >= 0:
                shape = np.array(outlines[origin[i]]).reshape(-1, 2)
                old = boxes[origin[i]]
                shape = (shape - old[:2]) / old[2:] * box[i, 2:] + box[i, :2] + rng.normal(0, 1.5, shape.shape)
            else:
                shape = np.array(outline(box[i], rng, 0.3)).reshape(-1, 2)
            shape = np.clip(shape, 0, [width, height])
            rle = coco_mask.frPyObjects([shape.reshape(-1).tolist()], height, width)[0]
            segmentation = {"size": [height, width], "counts": rle["counts"].decode()}
            record = {
                "image_id": int(image[i]) + 1,
                "category_id": int(ids[i]),
                "segmentation": segmentation,
                "score": float(score[i]),
            }
            file.write((", " if i else "") + json.dumps(record))
        file.write("]")
    return source


def make_dense(folder: Path) -> str:
    """Answers of a segmentation endpoint: 20 dense masks of 1080×1920, in five spellings."""
    rng = np.random.default_rng(4)
    yy, xx = np.mgrid[:1080, :1920]
    masks = np.zeros((20, 1080, 1920), np.uint8)
    for mask in masks:
        for _ in range(int(rng.integers(1, 4))):
            cy, cx, ry, rx = rng.uniform(100, 980), rng.uniform(100, 1820), rng.uniform(30, 260), rng.uniform(30, 420)
            wobble = 1 + 0.08 * np.sin(np.arctan2(yy - cy, xx - cx) * int(rng.integers(3, 12)))
            mask |= (((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < wobble).astype(np.uint8)
    np.save(folder / "masks.npy", masks)
    payload = [{"masks": masks.tolist(), "scores": [0.9] * 20, "labels": ["thing"] * 20}]
    compact = json.dumps(payload, separators=(",", ":"))
    (folder / "compact.json").write_text(compact)
    (folder / "spaced.json").write_text(json.dumps(payload))
    # The real client's form: the payload is JSON text inside a JSON string.
    (folder / "layered.json").write_text(json.dumps({"state": "SUCCESS", "result": compact}))
    for name, kind in (("booleans", bool), ("floats", float)):
        other = [payload[0] | {"masks": masks.astype(kind).tolist()}]
        (folder / f"{name}.json").write_text(json.dumps(other, separators=(",", ":")))
    return "synthetic masks"


MAKERS = {
    "boxes-100": lambda folder: make_boxes(folder, 100),
    "boxes-500": lambda folder: make_boxes(folder, 500),
    "boxes-5000": lambda folder: make_boxes(folder, 5000),
    "boxes-50000": lambda folder: make_boxes(folder, 50000),
    "masks-500": lambda folder: make_masks(folder, 500),
    "masks-5000": lambda folder: make_masks(folder, 5000),
    "answers": make_dense,
}


def prepare(name: str, cache: Path) -> Path:
    """Folder with the inputs of one benchmark, made if it is not there yet."""
    folder = cache / name
    if not (folder / "source.txt").exists():
        folder.mkdir(parents=True, exist_ok=True)
        source = MAKERS[name](folder)
        (folder / "source.txt").write_text(source)
    return folder


if __name__ == "__main__":
    import sys

    prepare(sys.argv[1], Path(sys.argv[2]))
