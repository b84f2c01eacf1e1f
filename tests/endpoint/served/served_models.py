"""Models that the tests serve: well-behaved, slow, broken and hostile ones."""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np


def size(image):
    """One box around the whole image, so that a test sees which pixels arrived."""
    height, width = image.shape[:2]
    return {"boxes": [[0, 0, width, height]], "scores": [float(image.mean()) / 255], "labels": ["image"]}


def checker(image):
    """An instance mask and its box, as arrays."""
    mask = np.zeros(image.shape[:2], bool)
    mask[::2, ::2] = True
    height, width = mask.shape
    return {
        "masks": mask[None],
        "boxes": np.array([[0, 0, width, height]], np.float32),
        "scores": np.array([0.75]),
        "labels": ['a "checker" board'],
    }


def bright(image):
    """A semantic mask."""
    return {"semantic_segmentation_mask": image.mean(axis=2) > 127}


def process(image):
    """The number of the worker process, as a label."""
    return {"boxes": [[0, 0, 1, 1]], "scores": [1.0], "labels": [str(os.getpid())]}


def slow(image):
    time.sleep(60)


def short(image):
    time.sleep(0.3)
    return size(image)


def raises(image):
    print("a model may print")
    raise RuntimeError("the model is tired")


def exits(image):
    os._exit(3)


def crashes(image):
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(image):
    sys.exit("a model may not end the worker in silence")


def uneven(image):
    return {"boxes": [[0, 0, 1, 1], [0, 0, 2, 2]], "scores": [0.5], "labels": ["a"]}


def percent(image):
    return {"boxes": [[0, 0, 1, 1]], "scores": [97.0], "labels": ["a"]}


def not_a_number(image):
    return {"boxes": [[0, 0, float("nan"), 1]], "scores": [0.5], "labels": ["a"]}


def nothing(image):
    return None


def unsayable(image):
    return {"boxes": [], "scores": [], "labels": [], "model": object()}


class Broken:
    """A model that does not load."""

    def __init__(self):
        raise FileNotFoundError("no weights here")


def steady(image):
    """Takes a while, so that a kill finds it at work; tells which image it saw."""
    time.sleep(0.01)
    return {"boxes": [[0, 0, 1, 1]], "scores": [0.5], "labels": [f"{image[0, 0, 0]}-{image[0, 0, 1]}"]}


def hostile(image):
    """Labels that a careless page would run."""
    return {"boxes": [[5, 5, 50, 50]], "scores": [0.9], "labels": ["<b>bold</b><script>alert(1)</script>"]}
