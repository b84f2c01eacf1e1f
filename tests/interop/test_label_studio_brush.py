"""Label Studio's own converter decodes the masks that rapideval writes for it, and rapideval those that it encodes.

The module is taken out of label-studio-sdk without what the package depends on: that asks for an older NumPy.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from helpers.written import mask_of, written

from rapideval import Annotations, Dataset, Images, Labels, Masks, formats

PACKAGE = "label-studio-sdk==2.1.2"
MODULE = "label_studio_sdk/converter/brush.py"


@pytest.fixture(scope="module")
def brush(tmp_path_factory):
    """Its module of brushes; RAPIDEVAL_LABEL_STUDIO_WHEEL names the package where it is at hand."""
    folder = tmp_path_factory.mktemp("label-studio")
    wheel = os.environ.get("RAPIDEVAL_LABEL_STUDIO_WHEEL")
    if not wheel:
        python = shutil.which("python3", path=os.pathsep.join([sys.base_prefix + "/bin", os.environ["PATH"]]))
        command = [
            python or sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-d",
            str(folder),
            PACKAGE,
        ]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if fetched.returncode:
            pytest.skip(f"{PACKAGE} cannot be had: {fetched.stderr.strip()[-300:]}")
        wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extract(MODULE, folder)
    specification = importlib.util.spec_from_file_location("label_studio_brush", folder / MODULE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def masks(chance):
    """Masks of all kinds: noise, a solid one, runs longer than the longest count, a single pixel."""
    single = np.zeros((9, 13), bool)
    single[4, 5] = True
    large = np.zeros((300, 400), bool)
    large[100:200, 20:380] = True
    return [chance.random((7, 11)) < 0.5, np.ones((5, 4), bool), single, large]


def test_its_converter_decodes_what_is_written(brush):
    listed = masks(np.random.default_rng(7))
    images = Images([f"{place}.png" for place in range(len(listed))], sizes=[mask.shape for mask in listed])
    places = list(range(len(listed)))
    rows = Annotations(places, [0] * len(listed), None, masks=Masks.concat([mask_of(mask) for mask in listed]))
    tasks = json.loads(written(Dataset(images, Labels(["cat"]), rows), "label-studio")[0])
    for mask, task in zip(listed, tasks, strict=True):
        results = [item | item["value"] for item in task["annotations"][0]["result"]]  # as its converter lays them flat
        layers = brush.decode_from_annotation(results[0]["from_name"], results)
        (layer,) = layers.values()
        assert ((layer > 0) == mask).all()


def test_what_its_converter_encodes_is_read(brush):
    listed = masks(np.random.default_rng(8))
    tasks = []
    for place, mask in enumerate(listed):
        height, width = mask.shape
        value = {"format": "rle", "rle": brush.mask2rle(mask.astype(np.uint8) * 255), "brushlabels": ["cat"]}
        result = {"type": "brushlabels", "from_name": "tag", "to_name": "image", "value": value}
        result |= {"original_width": width, "original_height": height}
        tasks.append({"id": place, "data": {"image": f"{place}.png"}, "annotations": [{"result": [result]}]})
    data = formats.read(json.dumps(tasks).encode(), "label-studio")
    assert len(data) == len(listed)
    for row, mask in enumerate(listed):
        assert (data.annotations.masks.dense(row) == mask).all()
