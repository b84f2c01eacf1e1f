"""`pycocotools.coco.COCO` objects, made and taken without a file.

The object's ``dataset`` is a COCO document, so all is as in the format ``coco``: see `rapideval.formats.coco`.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rapideval.formats.capabilities import Losses
from rapideval.formats.registry import read, write
from rapideval.model import Dataset
from rapideval.model.columns import refuse

if TYPE_CHECKING:
    from pycocotools.coco import COCO

__all__ = ["from_pycocotools", "to_pycocotools"]

# COCOeval leaves these in the annotations that it has scored: "ignore" is then its copy of the crowd flag.
_OF_EVALUATION = ("_ignore", "ignore")


def from_pycocotools(coco: Any, *, lenient: bool = False) -> Dataset:
    """Make a dataset of a ``COCO`` object: ground truth, or results that ``loadRes`` has taken.

    Parameters
    ----------
    coco
        The object; only its ``dataset`` is read, and it stays as it is.
    lenient
        As in reading the format ``coco``.

    Returns
    -------
    Dataset
        What ``loadRes`` adds is there too: ids, areas and, for boxes, an outline of four points. An evaluation of
        masks has put masks in place of the object's outlines; its own marks are left out.

    Raises
    ------
    FormatError
        As for a file, with the place in the object's ``dataset``.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> row = {"id": 1, "image_id": 3, "category_id": 5, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    >>> coco = SimpleNamespace(dataset={"images": [{"id": 3, "file_name": "a.jpg", "width": 9, "height": 9}],
    ...                                 "categories": [{"id": 5, "name": "cat"}], "annotations": [row]})
    >>> from_pycocotools(coco)
    Dataset(1 image, 1 label, 1 annotation)
    """
    dataset = getattr(coco, "dataset", None)
    if not isinstance(dataset, dict) or "images" not in dataset:
        found = f"a {type(coco).__name__} whose dataset has {sorted(dataset) if dataset else 'nothing'}"
        refuse("coco-object", "coco.dataset", found, "images, categories and annotations",
               "was it made without a file?")  # fmt: skip
    document = dict(dataset)
    document["annotations"] = [
        {key: value for key, value in row.items() if key not in _OF_EVALUATION} if "_ignore" in row else row
        for row in dataset.get("annotations", [])
    ]
    return read(json.dumps(document, default=_plain).encode(), "coco", lenient=lenient)


def _plain(value: Any) -> Any:
    """What of arrays and bytes JSON can hold."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"coco.dataset: found a {type(value).__name__}, expected what JSON can hold")


def to_pycocotools(dataset: Dataset) -> tuple[COCO, Losses]:
    """Make a ``COCO`` object of a dataset, without a file; ``COCOeval`` gives the same numbers as of the file.

    Returns
    -------
    coco
        Its index is made. Predictions keep their ``score``, as in what ``loadRes`` returns; where the model derives
        an area, it is the mask's, else the box's.
    losses
        What it cannot hold: see `rapideval.formats.losses` of ``coco``.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> images = Images(["a.jpg"], sizes=[[9, 9]])
    >>> coco, lost = to_pycocotools(Dataset(images, Labels(["cat"]), Annotations([0], [0], [[1, 2, 3, 4]])))
    >>> coco.anns[1]["bbox"], coco.cats[1]["name"], lost
    ([1, 2, 3, 4], 'cat', Losses({}))
    """
    from pycocotools.coco import COCO

    stream = io.BytesIO()
    lost = write(dataset, stream, "coco")
    with contextlib.redirect_stdout(io.StringIO()):  # it says how long it takes
        coco = COCO()
        coco.dataset = json.loads(stream.getvalue())
        for number, row in enumerate(coco.dataset["annotations"], 1):
            row.setdefault("id", number)
        coco.createIndex()
    return coco, lost
