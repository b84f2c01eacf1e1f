"""Converting formats beside the peers: ``python -m benchmarks.formats [--peers PYTHON] [--rounds N]``.

Whole processes, interleaved: COCO val2017's boxes (36,334 in 4,952 images) from COCO to YOLO and back. Then, inside one
process, masks into exact outlines. Peers that are not installed are named and left out; ``--peers`` is another Python
that has them (datumaro and rasterio need versions of other packages of their own).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Series, interleave

ROOT = Path(__file__).parent.parent
BOXES = ROOT.parent / "shared" / "data" / "coco-val2017-boxes"
CACHE = ROOT / "build" / "bench" / "formats"

JOBS = {
    "rapideval to-yolo": "import rapideval as r; r.write(r.read(r'{coco}'), r'{out}', 'yolo')",
    "hotcoco to-yolo": "from hotcoco import COCO; COCO(r'{coco}').to_yolo(r'{out}')",
    "datumaro to-yolo": (
        "from datumaro import Dataset; d = Dataset.import_from(r'{dataset}', 'coco_instances'); "
        "d.export(r'{out}', 'yolo_ultralytics', save_media=False)"
    ),
    "rapideval from-yolo": "import rapideval as r; r.write(r.read(r'{yolo}'), r'{out}.json', 'coco')",
    "hotcoco from-yolo": "from hotcoco import COCO; COCO.from_yolo(r'{flat}', r'{yolo}/images').save(r'{out}.json')",
    "datumaro from-yolo": (
        "from datumaro import Dataset; d = Dataset.import_from(r'{yolo_train}', 'yolo'); "
        "d.export(r'{out}', 'coco_instances', save_media=False)"
    ),
}


def prepare() -> dict[str, str]:
    """Inputs: a COCO file, and a YOLO folder with image files whose heads tell their sizes."""
    from PIL import Image

    coco, yolo, flat = CACHE / "instances_val.json", CACHE / "yolo", CACHE / "flat"
    dataset, trained = CACHE / "dataset", CACHE / "yolo-train"
    if not coco.exists():
        import rapideval

        CACHE.mkdir(parents=True, exist_ok=True)
        names = (BOXES / "coco_name.txt").read_text().split("\n")
        images, annotations = [], []
        for line in (BOXES / "coco_val2017.txt").read_text().splitlines():
            name, *words = line.split()
            numbers = list(map(float, words))
            rows = [numbers[place : place + 5] for place in range(0, len(numbers), 5)]
            height, width = (int(max(row[side] for row in rows)) + 1 for side in (2, 3))
            images.append({"id": len(images) + 1, "file_name": Path(name).name, "height": height, "width": width})
            for top, left, bottom, right, label in rows:
                box = [left, top, right - left, bottom - top]
                annotations.append({
                    "id": len(annotations) + 1, "image_id": len(images), "category_id": int(label) + 1, "bbox": box,
                    "area": box[2] * box[3], "iscrowd": 0, "segmentation": [],
                })  # fmt: skip
        labels = [{"id": place + 1, "name": name.strip()} for place, name in enumerate(names) if name.strip()]
        coco.write_text(json.dumps({"images": images, "annotations": annotations, "categories": labels}))
        rapideval.write(rapideval.read(coco), yolo, "yolo")
        for folder, below in (
            (yolo, "images"), (dataset, "images/train"), (dataset, "images/val"), (trained, "images/train"),
            (trained, "images/val"),
        ):  # fmt: skip
            (folder / below).mkdir(parents=True, exist_ok=True)
            for image in images:
                size = (image["width"], image["height"])
                Image.new("1", size).save(folder / below / image["file_name"], "PNG")
        (dataset / "annotations").mkdir()
        # Datumaro's YOLO wants both splits: the same images as the one, an empty set as the other.
        shutil.copy(coco, dataset / "annotations" / "instances_train.json")
        empty = {"images": images[:1], "annotations": [], "categories": labels}
        (dataset / "annotations" / "instances_val.json").write_text(json.dumps(empty))
        shutil.copytree(yolo / "labels", flat)
        shutil.copy(yolo / "data.yaml", flat)
        shutil.copytree(yolo / "labels", trained / "labels" / "train")
        (trained / "labels" / "val").mkdir()
        description = (yolo / "data.yaml").read_text().replace("train: images.txt", "train: images/train")
        description = description.replace("val: images.txt", "val: images/val").replace("path: .\n", "")
        (trained / "data.yaml").write_text(description)
    return {
        "coco": str(coco), "yolo": str(yolo), "flat": str(flat), "dataset": str(dataset), "yolo_train": str(trained),
    }  # fmt: skip


def conversions(peers: str, rounds: int) -> None:
    """Print a table of the conversions."""
    places = prepare()
    for direction in ("to-yolo", "from-yolo"):
        series = []
        for name, code in JOBS.items():
            tool, way = name.split()
            if way == direction:
                out = CACHE / f"out-{tool}-{way}"
                clean = f"import shutil; shutil.rmtree(r'{out}', ignore_errors=True); "
                chosen = peers if tool == "datumaro" else sys.executable
                series.append(Series(tool, [chosen, "-c", clean + code.format(out=out, **places)]))
        interleave(series, rounds)
        print(f"\nval2017's boxes, {direction.replace('-', ' ')} (whole processes, medians of {rounds})")
        print("| tool | wall s | CPU s | memory MB | against rapideval |\n|---|---|---|---|---|")
        for one in series:
            if one.failure:
                print(f"| {one.name} | {one.failure} | | | |")
                continue
            ratio = one.median() / series[0].median()
            figures = f"{one.median():.2f} | {one.median('cpu'):.2f} | {one.median('memory'):.0f} | {ratio:.1f} ×"
            print(f"| {one.name} | {figures} |")


def masks(count: int = 300, side: int = 512) -> list[Any]:
    """Blobs with holes, as segmenters find them."""
    import numpy as np
    from scipy import ndimage

    chance = np.random.default_rng(7)
    found = []
    for _ in range(count):
        noise = ndimage.gaussian_filter(chance.standard_normal((side, side)), 12)
        found.append(noise > np.quantile(noise, 0.8))
    return found


OUTLINES = """
import sys, time, json, numpy as np
masks = np.load(sys.argv[2])
tool = sys.argv[1]
if tool == "rasterio":
    from rasterio.features import shapes
    def run():
        return [[s for s, v in shapes(m.view(np.uint8), mask=m) if v] for m in masks]
else:
    from skimage.measure import find_contours
    def run():
        return [find_contours(np.pad(m, 1).astype(float), 0.5) for m in masks]
times = []
for _ in range(3):
    start = time.perf_counter(); run(); times.append(time.perf_counter() - start)
print(json.dumps(sorted(times)[1]))
"""


def outlines(peers: str) -> None:
    """Print a table of masks into outlines."""
    import numpy as np

    from rapideval import Masks
    from rapideval.formats.outlines import outlines as traced

    dense = np.array(masks())
    path = CACHE / "masks.npy"
    np.save(path, dense)
    encoded = Masks.from_dense(dense)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        traced(encoded)
        times.append(time.perf_counter() - start)
    ours = statistics.median(times)
    print(f"\n{len(dense)} masks of {dense.shape[1]} × {dense.shape[2]} into outlines (inside one process, medians)")
    print("| tool | s | against rapideval |\n|---|---|---|")
    print(f"| rapideval, exact, from run lengths | {ours:.3f} | 1 × |")
    for tool, python in (("rasterio", peers), ("skimage", sys.executable)):
        done = subprocess.run([python, "-c", OUTLINES, tool, str(path)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {tool} | {done.stderr.strip().splitlines()[-1][:100]} | |")
        else:
            seconds = json.loads(done.stdout)
            print(f"| {tool} | {seconds:.3f} | {seconds / ours:.1f} × |")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="a Python that has datumaro and rasterio")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    conversions(given.peers, given.rounds)
    outlines(given.peers)


if __name__ == "__main__":
    main()
