"""Scale Rapid hosted models: RESULT_PAYLOAD, a list with one object for each image.

========================================================== ====================================================
``[{"boxes": [...], "scores": [...], "labels": [...]}]``   detection; boxes are corners x1, y1, x2, y2 in pixels
``[{"masks": [...], "scores": [...], "labels": [...]}]``   instance segmentation; masks are [N, H, W] of 0 and 1
all four                                                   both, all of one length; the boxes are kept as given
no ``scores``                                              ground truth, or a mask for each label
``[{"semantic_segmentation_mask": [[0, 1], ...]}]``        one mask of the image, without score
one object, not in a list                                  one image
``{"a.jpg": {...}, "b.jpg": {...}}``                       images by name
========================================================== ====================================================

An element may itself be JSON text, and so may a mask; a mask may also be COCO run lengths or a base64 PNG. Labels are
text or integers. With ``class_masks`` every other key whose value is a bitmask is the mask of the label of that name
(a trailing ``_mask`` is dropped).

Source: "Using a Hosted Endpoint via API" of Scale Rapid's documentation, and the answers of its public client.
"""

from __future__ import annotations

from typing import Any

from rapideval.errors import InputError
from rapideval.model import Masks
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.masks import is_bitmask, mask_list, one_mask
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, is_text, shown

__all__ = ["SEMANTIC_KEY", "read", "recognises", "split"]

SEMANTIC_KEY = "semantic_segmentation_mask"
INSTANCE_KEYS = ("masks", "boxes")
KNOWN_KEYS = (*INSTANCE_KEYS, "scores", "labels", SEMANTIC_KEY)


def recognises(tree: Tree) -> bool:
    """Whether this is a RESULT_PAYLOAD, by the keys of its first image."""
    if isinstance(tree, list):
        return bool(tree) and (_is_image(tree[0]) or is_text(tree[0]))
    return _is_image(tree) or _is_mapping(tree)


def _is_image(value: Tree) -> bool:
    return isinstance(value, dict) and (not value.keys().isdisjoint(KNOWN_KEYS) or any(map(is_bitmask, value.values())))


def _is_mapping(value: Tree) -> bool:
    return isinstance(value, dict) and bool(value) and all(_is_image(item) for item in value.values())


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images of a payload, in order."""
    del options
    if isinstance(tree, dict):
        if not _is_image(tree) and _is_mapping(tree):
            return [ImageResult(value, place[key], key=key) for key, value in tree.items()]
        return [ImageResult(tree, place)]
    if isinstance(tree, list):
        return [ImageResult(value, place[index]) for index, value in enumerate(tree)]
    return refuse("M20", place, shown(tree), "a list with one object for each image, or one object")


def read(result: ImageResult, context: Context) -> None:
    """Add the annotations of one image."""
    tree, place = result.tree, result.place
    try:
        while is_text(tree):
            tree, place = context.reader.layer(tree, place)
    except InputError as error:
        context.problems.extend(error)
        return
    if isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], dict):
        # An image whose result was serialised as the list of one that predict() returned.
        tree, place = tree[0], place[0]
    if not isinstance(tree, dict):
        context.problems.add("M21", place, shown(tree), "an object, the result of one image")
        return
    instance = any(tree.get(key) is not None for key in INSTANCE_KEYS)
    semantic = [
        key for key in tree if key == SEMANTIC_KEY or (context.options.class_masks and _is_class_mask(key, tree))
    ]
    if instance and semantic:
        used = semantic if context.options.prefer == "semantic" else [key for key in INSTANCE_KEYS if key in tree]
        context.notes.warn(
            "M36",
            place,
            f"both {' and '.join(key for key in INSTANCE_KEYS if key in tree)} and {' and '.join(semantic)}",
            "one of the two kinds of result",
            f"{' and '.join(used)} used; prefer='semantic' or 'instance' (--prefer) chooses",
        )
    if semantic and not (instance and context.options.prefer == "instance"):
        _read_semantic(tree, semantic, result, place, context)
    elif instance or not tree.keys().isdisjoint(KNOWN_KEYS):
        _read_instances(tree, result, place, context)
    else:
        _refuse_keys(tree, place, context)


def _is_class_mask(key: str, tree: dict[str, Any]) -> bool:
    return key not in KNOWN_KEYS and is_bitmask(tree[key])


def _refuse_keys(tree: dict[str, Any], place: Place, context: Context) -> None:
    hint = next((f"{key!r} is written {meant!r}" for key in tree if (meant := _meant(key)) is not None), "")
    if not hint and (any(map(is_bitmask, tree.values())) or any(key.endswith("_mask") for key in tree)):
        hint = "one mask for each class, under the name of the class? Pass class_masks=True (--class-masks)"
    hint = hint or "another service's answer? payload= (--payload) names it"
    context.problems.add("M22", place, shown(tree), f"one of {', '.join(KNOWN_KEYS)}", hint)


def _meant(key: str) -> str | None:
    """The known key that a key is likely to mean."""
    lower = key.lower()
    return next((known for known in (lower, f"{lower}s", f"{lower}es") if known in KNOWN_KEYS), None)


# --- semantic ----------------------------------------------------------------------------------------


def _read_semantic(tree: dict[str, Any], keys: list[str], result: ImageResult, place: Place, context: Context) -> None:
    masks, names = [], []
    for key in keys:
        try:
            masks.append(one_mask(tree[key], place[key], context.reader))
        except InputError as error:
            context.problems.extend(error)
            return
        names.append(_semantic_label(context, place) if key == SEMANTIC_KEY else key.removesuffix("_mask") or key)
    if context.options.class_masks and SEMANTIC_KEY in keys and len(keys) > 1:
        names[keys.index(SEMANTIC_KEY)] = context.options.semantic_label
    context.add(result, Rows(names, masks=Masks.concat(masks), origin=f"{place}", numbers=range(len(names))))


def _semantic_label(context: Context, place: Place) -> str:
    only = context.labels.only
    if only is not None:
        return only
    context.notes.tell(
        "semantic-label",
        place[SEMANTIC_KEY],
        f"a mask without a label: it gets {context.options.semantic_label!r}",
        "name it with semantic_label= (--semantic-label), or give one label",
    )
    return context.options.semantic_label


# --- instances ---------------------------------------------------------------------------------------


def _read_instances(tree: dict[str, Any], result: ImageResult, place: Place, context: Context) -> None:
    before = context.problems.total
    lists = {key: tree[key] for key in (*INSTANCE_KEYS, "scores", "labels") if tree.get(key) is not None}
    if not _are_parallel(lists, place, context):
        return
    masks = None
    if "masks" in lists:
        try:
            masks = mask_list(lists["masks"], place["masks"], context.reader)
        except InputError as error:
            context.problems.extend(error)
    boxes = scores = None
    if "boxes" in lists:
        boxes = context.boxes(lists["boxes"], place["boxes"], result)
    if "scores" in lists:
        scores = context.scores(lists["scores"], place["scores"])
    names = context.label_names(lists["labels"], place["labels"])
    if context.problems.total > before:
        return
    assert names is not None
    _tell_unread(tree, place, context)
    column = "boxes" if boxes is not None else "masks"
    context.add(result, Rows(names, boxes, scores, masks, origin=f"{place[column]}[{{row}}]"))


def _are_parallel(lists: dict[str, Any], place: Place, context: Context) -> bool:
    """Whether boxes or masks, scores and labels are lists of one length (M24, M25)."""
    have = [key for key in INSTANCE_KEYS if key in lists]
    if not have or "labels" not in lists:
        found = f"{' and '.join(have)} without labels" if have else f"{' and '.join(lists)} without boxes or masks"
        context.problems.add("M25", place, found, "boxes or masks, with labels and scores")
        return False
    counts = {}
    for key, value in lists.items():
        if key == "masks" and not isinstance(value, list):
            count = len(value) if is_bitmask(value) and value.ndim > 2 else None
        elif isinstance(value, list):
            count = len(value)
        else:
            rule = {"masks": "M35", "boxes": "M26", "scores": "M29", "labels": "M30"}[key]
            context.problems.add(rule, place[key], shown(value), "a list, one for each result")
            return False
        if count is not None:
            counts[key] = count
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count:,} {key}" for key, count in counts.items())
        context.problems.add("M24", place, found, "lists of one length, one entry for each result")
        return False
    return True


def _tell_unread(tree: dict[str, Any], place: Place, context: Context) -> None:
    unread = [key for key in tree if key not in KNOWN_KEYS]
    if unread:
        shown_keys = ", ".join(map(repr, unread[:5])) + (", …" if len(unread) > 5 else "")
        context.notes.tell("unread-keys", place, f"keys that are not read: {shown_keys}", kind=",".join(sorted(unread)))
