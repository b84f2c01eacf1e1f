"""YOLO: a text file an image, a line an object, coordinates relative to the image's size.

A folder in one of the layouts in use:

- Ultralytics and Roboflow: ``data.yaml`` with ``names`` (a list, or numbers to names) and ``train``, ``val``, ``test``,
  each a folder of images, several, or a list of images in a text file; the labels of ``.../images/a.jpg`` are in
  ``.../labels/a.txt``;
- Darknet: ``obj.data`` with ``names``, ``train``, ``valid``; labels beside the images;
- labelImg: ``classes.txt`` and labels beside the images;
- labels alone, as a run with ``save_txt`` leaves them: then `labels` names the classes.

A line is a class number from 0 and then ``cx cy w h`` (the box's **centre** and size), or ``x1 y1 x2 y2 ...`` (an
outline; the four corners of an oriented box are one), and the score after either where it is a prediction. With
``kpt_shape`` in ``data.yaml`` what follows a box are keypoints, which are kept as further fields.

Coordinates become pixels by the size of the image, from `images` or from the head of its file. Which split an image is
of is its further field ``split``; writing puts it there again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.vectors import Holes
from rapideval.formats.files import Source
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

Outside = Literal["clip", "keep", "refuse"]


def _sniff(source: Source, writes: str) -> Guess | None:
    from rapideval.formats.training import yolo_layout

    return yolo_layout.sniff(source, writes)


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    split: str | None = None,
    image_folder: str | None = None,
    lenient: bool = False,
) -> Dataset:
    """Read a dataset or predictions.

    Parameters
    ----------
    source
        A folder, or its ``data.yaml`` or ``obj.data``.
    images
        Images and their sizes, found by name, by the last part of it, or by it without suffix.
    labels
        Names of the classes, in order, where the folder does not say them.
    split
        Only this split: ``train``, ``val``, ``test``.
    image_folder
        Where the image files are, where they are not beside the labels.
    lenient
        Read also coordinates that lie outside of their image.
    """
    from rapideval.formats.training import yolo_read

    return yolo_read.read(source, images, labels, split, image_folder, lenient)


def _write(
    dataset: Dataset,
    folder: Path,
    *,
    shape: str,
    outside: Outside = "clip",
    outline_iou: float | None = None,
    holes: Holes = "bridge",
) -> None:
    from rapideval.formats.training import yolo_write

    yolo_write.write(dataset, folder, shape, outside, outline_iou, holes)


def _write_boxes(dataset: Dataset, folder: Path, *, outside: Outside = "clip") -> None:
    """Write ``data.yaml``, lists of images, and a label file for each image.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    outside
        What reaches beyond its image is cut off there (``"clip"``), as trainers skip images with such labels; kept
        (``"keep"``), or refused (``"refuse"``).
    """
    _write(dataset, folder, shape="box", outside=outside)


def _write_outlines(
    dataset: Dataset,
    folder: Path,
    *,
    outside: Outside = "clip",
    outline_iou: float | None = None,
    holes: Holes = "bridge",
) -> None:
    """Write ``data.yaml``, lists of images, and a label file for each image.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    outside
        What reaches beyond its image is cut off (``"clip"``), kept (``"keep"``), or refused (``"refuse"``).
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    holes
        ``"bridge"`` joins a hole to its exterior by a line, ``"fill"`` leaves it out, ``"refuse"`` refuses.
    """
    _write(dataset, folder, shape="outline", outside=outside, outline_iou=outline_iou, holes=holes)


def _write_oriented(dataset: Dataset, folder: Path, *, outside: Outside = "clip") -> None:
    """Write ``data.yaml``, lists of images, and a label file for each image, its objects as four corners.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    outside
        What reaches beyond its image is cut off (``"clip"``), kept (``"keep"``), or refused (``"refuse"``).
    """
    _write(dataset, folder, shape="corners", outside=outside)


def _losses(shape: str) -> Callable[..., list[Loss]]:
    def losses(dataset: Dataset, **options: Any) -> list[Loss]:
        from rapideval.formats.training import yolo_write

        return yolo_write.losses(dataset, shape, **options)

    return losses


def _picture_paths(images: Images) -> list[str]:
    from rapideval.formats.training import yolo_write

    return yolo_write.picture_paths(images)


_ULTRALYTICS = "https://docs.ultralytics.com/datasets/"


def _format(name: str, title: str, shape: str, writer: Callable[..., None], specification: str) -> Format:
    return Format(
        name=name,
        title=title,
        suffixes=(".yaml", ".yml", ".data"),
        kind="folder",
        sniff=partial(_sniff, writes=name),
        reader=_read,
        writer=writer,
        capabilities=Capabilities(
            boxes=False,
            polygons=shape != "box",
            scores=True,
            empty_images=True,
            unused_labels=True,
            label_order=True,
            convention="relative to the image's width and height, origin at its top-left corner; boxes by their centre",
            index_base="classes from 0",
            specification=_ULTRALYTICS + specification,
        ),
        special_losses=_losses(shape),
        picture_paths=_picture_paths,
        splits=("train", "val", "valid", "test", "minival"),
    )


FORMATS = {
    form.name: form
    for form in (
        _format("yolo", "YOLO: boxes as text, also Darknet's and Roboflow's", "box", _write_boxes, "detect/"),
        _format("yolo-seg", "YOLO: outlines as text", "outline", _write_outlines, "segment/"),
        _format("yolo-obb", "YOLO: oriented boxes by their corners", "corners", _write_oriented, "obb/"),
    )
}
