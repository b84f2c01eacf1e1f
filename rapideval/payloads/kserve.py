"""KServe and Triton, Open Inference Protocol V2: tensors, which a mapping gives a meaning.

``{"model_name": "detector", "outputs": [{"name": "boxes", "shape": [1, 3, 4], "datatype": "FP32", "data": [...]}]}``

``tensors=`` (``--tensors boxes=output_0,scores=output_1``) says which output holds what; outputs that bear one of these
names, with or without ``detection_`` in front, need none.

=========== =============================================================================================
boxes       [B, N, 4] or [N, 4]; corners in pixels, other conventions by ``boxes=`` and ``relative=``
scores      [B, N] or [N]
labels      [B, N] or [N]; whole numbers or text (``BYTES``); also called ``classes``
masks       [B, N, H, W] or [N, H, W]; 0 and 1, or probabilities: above 0.5 is foreground
count       [B], [B, 1] or a number: how many of the padded results are meant; also called ``num_detections``
=========== =============================================================================================

``data`` is flat in row-major order; nested lists are taken too, as servers do. Raw output that is yet to be decoded
(the ``[1, 84, 8400]`` of an exported YOLO) is refused: that is the model's post-processing, not a result.

Source: Open Inference Protocol (V2), kserve/open-inference-protocol ``specification/protocol/inference_rest.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.model import Masks
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, as_text, shown

__all__ = ["ROLES", "read", "recognises", "split"]

ROLES: dict[str, tuple[str, ...]] = {
    "boxes": ("boxes", "detection_boxes"),
    "scores": ("scores", "detection_scores"),
    "labels": ("labels", "classes", "detection_labels", "detection_classes"),
    "masks": ("masks", "detection_masks"),
    "count": ("count", "num_detections", "num_dets"),
}
"""What a tensor can hold, and the names of outputs that say so themselves."""

_MOST_VALUES = 1 << 31


def recognises(tree: Tree) -> bool:
    """Whether this is an answer of named tensors."""
    if not isinstance(tree, dict):
        return False
    outputs = tree.get("outputs")
    return isinstance(outputs, list) and bool(outputs) and all(map(_is_tensor, outputs))


def _is_tensor(item: Tree) -> bool:
    return isinstance(item, dict) and {"name", "shape", "data"} <= item.keys()


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """One result for each entry of the batch; the tensors stand beside it, to be cut when the mapping is known."""
    if not recognises(tree):
        return refuse("M22", place, shown(tree), "outputs, each with name, shape and data")
    tensors = {}
    for index, item in enumerate(tree["outputs"]):
        where = place["outputs"][index]
        name = as_text(item["name"])
        if not name or name in tensors:
            refuse("M5" if name else "M22", where["name"], shown(item["name"]), "a name of its own")
        tensors[name] = (_array(item, where), where)
    roles = _roles(tensors, options.tensors, place)
    batch = _batch(roles, place)
    return [ImageResult((roles, number), place["outputs"]) for number in range(batch)]


def _array(item: dict[str, Any], place: Place) -> npt.NDArray[Any]:
    """One tensor, of its stated shape."""
    shape = item["shape"]
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        refuse("tensor-shape", place["shape"], shown(shape), "a list of whole numbers")
    size = 1
    for side in shape:
        size *= side
    if size > _MOST_VALUES:
        refuse("tensor-shape", place["shape"], f"{size:,} values", f"at most {_MOST_VALUES:,}")
    data = item["data"]
    if not isinstance(data, list):
        hint = "binary tensors follow the JSON text: ask for JSON data" if data is None else ""
        refuse("tensor-data", place["data"], shown(data), "a list of values", hint)
    while any(isinstance(value, list) for value in data):
        data = list(chain.from_iterable(value if isinstance(value, list) else (value,) for value in data))
    kinds = set(map(type, data))
    if not (kinds <= {int, float} or kinds == {bool} or kinds == {str}):
        refuse("tensor-data", place["data"], "values of several kinds", "numbers, booleans or text")
    if len(data) != size:
        refuse("tensor-shape", place["data"], f"{len(data):,} values", f"{size:,}, as the shape {shape} has")
    return np.array(data, None if data else np.float64).reshape(shape)


def _roles(
    tensors: Mapping[str, tuple[npt.NDArray[Any], Place]], given: Mapping[str, str] | None, place: Place
) -> dict[str, tuple[npt.NDArray[Any], Place]]:
    """Which tensor holds what."""
    names = ", ".join(f"{name} {list(array.shape)}" for name, (array, _) in tensors.items())
    unknown = [role for role in given or {} if role not in ROLES]
    if unknown:
        raise UsageError(f"tensors: {unknown[0]!r} is not one of {', '.join(ROLES)}")
    roles = {}
    for role, usual in ROLES.items():
        wanted = (given[role],) if given and role in given else usual
        name = next((name for name in wanted if name in tensors), None)
        if name is None and given and role in given:
            refuse("tensor-name", place["outputs"], f"the tensors {names}", f"one named {given[role]!r} for {role}")
        if name is not None:
            roles[role] = tensors[name]
    if "labels" not in roles or not ({"boxes", "masks"} & roles.keys()):
        refuse(
            "tensor-name",
            place["outputs"],
            f"the tensors {names}",
            "boxes or masks, and labels",
            "say which is which: tensors={'boxes': 'output_0', ...} (--tensors boxes=output_0,...)",
        )
    return roles


_DIMENSIONS = {"boxes": 2, "scores": 1, "labels": 1, "masks": 3}


def _batch(roles: dict[str, tuple[npt.NDArray[Any], Place]], place: Place) -> int:
    """How many images the tensors speak of; each gets a batch dimension where it has none."""
    sizes = {}
    for role, dimensions in _DIMENSIONS.items():
        if role not in roles:
            continue
        array, where = roles[role]
        if array.ndim == dimensions:
            array = array[None]
        if array.ndim != dimensions + 1 or (role == "boxes" and array.shape[-1] != 4):
            shape = {"boxes": "[B, N, 4]", "masks": "[B, N, H, W]"}.get(role, "[B, N]")
            refuse("tensor-shape", where["shape"], f"{role} of shape {list(array.shape)}", f"{shape}, or without B")
        roles[role] = array, where
        sizes[role] = array.shape[:2]
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{role} {list(shape)}" for role, shape in sizes.items())
        refuse("M24", place["outputs"], found, "tensors of one batch size and one number of results")
    batch: int = next(iter(sizes.values()))[0]
    if "count" in roles:
        counts, where = roles["count"]
        if counts.size != batch or counts.dtype.kind not in "iuf":
            refuse("tensor-shape", where["shape"], f"{counts.size} counts", f"{batch}, one for each image")
    return batch


def read(result: ImageResult, context: Context) -> None:
    """Add the objects of one image."""
    roles, number = result.tree
    length = roles["labels"][0].shape[1]
    count = length
    if "count" in roles:
        counts, where = roles["count"]
        value = counts.reshape(-1)[number].item()
        if not 0 <= value <= length or value % 1:
            context.problems.add("M24", where.at("data", number), shown(value), f"a whole number from 0 to {length}")
            return
        count = int(value)
    parts = {role: (array[number, :count], where["data"]) for role, (array, where) in roles.items() if role != "count"}
    before = context.problems.total
    boxes = scores = masks = None
    if "boxes" in parts:
        boxes = context.boxes(_values(parts["boxes"][0]), parts["boxes"][1], result)
    if "scores" in parts:
        scores = context.scores(_values(parts["scores"][0]), parts["scores"][1])
    labels = context.label_names([_whole(value) for value in _values(parts["labels"][0])], parts["labels"][1])
    if "masks" in parts:
        masks = _masks(*parts["masks"], context)
    if context.problems.total > before:
        return
    assert labels is not None
    origin = f"{result.place}, image {number}, result {{row}}"
    context.add(result, Rows(labels, boxes, scores, masks, origin=origin))


def _values(array: npt.NDArray[Any]) -> list[Any]:
    values: list[Any] = array.tolist()
    return values


def _whole(value: Any) -> Any:
    """A class number of a float tensor, as the integer it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _masks(array: npt.NDArray[Any], place: Place, context: Context) -> Masks | None:
    if array.dtype.kind not in "biuf":
        context.problems.add("M33", place, "text", "0 and 1, or probabilities")
        return None
    if not array.size:
        return Masks.empty(len(array))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        context.problems.add("M28", place, "a value that is not finite", "0 and 1, or probabilities")
        return None
    if array.min() < 0 or array.max() > 1:
        context.problems.add("M33", place, f"values from {array.min()} to {array.max()}", "0 and 1, or probabilities")
        return None
    return Masks.from_dense(array > 0.5)
