"""The work that is timed, one process each: ``python -m benchmarks.jobs TOOL KIND FILE...``.

A job does what its tool's own documentation shows, from files to numbers, and prints one JSON object: the numbers, and
how long its stages took inside the process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

Stages = dict[str, float]


def _coco_api(module: Any, evaluator: str, kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """Run the pycocotools interface that most tools offer."""
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        ground_truth = module.COCO(truth)
        results = ground_truth.loadRes(predictions)
        read = time.perf_counter()
        run = getattr(module, evaluator)(ground_truth, results, kind)
        run.evaluate()
        matched = time.perf_counter()
        run.accumulate()
        run.summarize()
        end = time.perf_counter()
    return [float(v) for v in run.stats], {"read": read - start, "match": matched - read, "accumulate": end - matched}


def pycocotools(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """pycocotools, the reference."""
    from types import SimpleNamespace

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return _coco_api(SimpleNamespace(COCO=COCO, COCOeval=COCOeval), "COCOeval", kind, truth, predictions)


def faster_coco_eval(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """faster-coco-eval."""
    import faster_coco_eval

    return _coco_api(faster_coco_eval, "COCOeval_faster", kind, truth, predictions)


def hotcoco(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """Hotcoco."""
    import hotcoco as module

    return _coco_api(module, "COCOeval", kind, truth, predictions)


def ultrafast(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """ultrafast-pycocotools."""
    import ultrafast_pycocotools as module

    return _coco_api(module, "COCOeval", kind, truth, predictions)


def vernier(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """vernier, by its own interface."""
    from pathlib import Path

    from vernier import instance

    start = time.perf_counter()
    kernel = instance.Bbox() if kind == "bbox" else instance.Segm()
    summary = instance.Evaluator(iou=kernel).evaluate(Path(truth).read_bytes(), Path(predictions).read_bytes())
    return [float(v) for v in summary.stats], {"total": time.perf_counter() - start}


def rapideval(kind: str, truth: str, predictions: str) -> tuple[list[float], Stages]:
    """Rapideval."""
    import rapideval as module

    start = time.perf_counter()
    ground_truth = module.read(truth)
    found = module.read(predictions, images=ground_truth.images, labels=ground_truth.labels)
    read = time.perf_counter()
    evaluation = module.evaluate(ground_truth, found, task="detection" if kind == "bbox" else "instance")
    stats = [float(v) for v in evaluation.summary.values()]
    return stats, {"read": read - start, "evaluate": time.perf_counter() - read}


def dense_orjson(path: str) -> tuple[list[float], Stages]:
    """Areas of dense masks by orjson, NumPy and pycocotools."""
    from pathlib import Path

    import numpy as np
    import orjson
    from pycocotools import mask

    start = time.perf_counter()
    document = orjson.loads(Path(path).read_bytes())
    if isinstance(document, dict):
        document = orjson.loads(document["result"])
    loaded = time.perf_counter()
    dense = np.asarray(document[0]["masks"], dtype=np.uint8)
    arrays = time.perf_counter()
    encoded = mask.encode(np.asfortranarray(dense.transpose(1, 2, 0)))
    end = time.perf_counter()
    stages = {"loads": loaded - start, "asarray": arrays - loaded, "encode": end - arrays, "total": end - start}
    return [float(v) for v in mask.area(encoded)], stages


def dense_rapideval(path: str) -> tuple[list[float], Stages]:
    """Areas of dense masks by rapideval."""
    from rapideval.model import Dataset  # noqa: F401  what a first call would import is no part of the work
    from rapideval.payloads import parse

    before = _peak()
    start = time.perf_counter()
    answer = parse(path, images=["image.jpg"])
    areas = answer.dataset.annotations.area.tolist()
    total = time.perf_counter() - start
    EXTRA["extra"] = _peak() - before - os.stat(path).st_size / 1024**2
    return areas, {"total": total}


def _peak() -> float:
    """Peak memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


EXTRA: dict[str, float] = {}
"""What a job tells besides its numbers and stages."""


JOBS: dict[str, Callable[..., tuple[list[float], Stages]]] = {
    "pycocotools": pycocotools,
    "faster-coco-eval": faster_coco_eval,
    "vernier": vernier,
    "hotcoco": hotcoco,
    "ultrafast-pycocotools": ultrafast,
    "rapideval": rapideval,
    "dense-orjson": dense_orjson,
    "dense-rapideval": dense_rapideval,
}

if __name__ == "__main__":
    numbers, stages = JOBS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"numbers": numbers, "stages": stages, **EXTRA}))
