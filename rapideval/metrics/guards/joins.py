"""Labels and images of the two sides that do not meet."""

from __future__ import annotations

import re

import numpy as np

from rapideval.metrics.guards.rules import Findings, Side
from rapideval.model import Aligned, Labels

__all__ = ["check_ids", "check_images", "check_labels"]

SHOWN = 5


def check_labels(truth: Side, found: Side, findings: Findings) -> None:
    """Rules on labels: predictions meet the ground truth by label name, ids only serve to tell what went wrong."""
    mine, theirs = truth.data.labels, found.data.labels
    counts = np.bincount(found.rows.label, minlength=len(theirs))
    used = [name for name, count in zip(theirs.names, counts.tolist(), strict=True) if count]
    unknown = [name for name in used if name not in mine]
    if used and len(unknown) == len(used) and len(truth.rows):
        _label_finding("label-disjoint", found, unknown, findings, _disjoint_hint(mine, theirs, unknown))
        return
    plain = {_plain(name): name for name in mine.names} if unknown else {}
    spelling = {name: plain[_plain(name)] for name in unknown if _plain(name) in plain}
    renamed = {name: other for name in unknown if (other := _same_id(mine, theirs, name)) and name not in spelling}
    if spelling:
        _label_finding("label-spelling", found, list(spelling), findings, _map_hint(spelling))
    if renamed:
        _label_finding("label-renamed", found, list(renamed), findings, _map_hint(renamed))
    rest = [name for name in unknown if name not in spelling and name not in renamed]
    if rest:
        _label_finding("label-unknown", found, rest, findings)
    _check_shifted(mine, theirs, found, findings)


def _label_finding(rule: str, found: Side, names: list[str], findings: Findings, hint: str = "") -> None:
    places = [found.data.labels.index(name) for name in names]
    rows = np.flatnonzero(np.isin(found.rows.label, places))
    shown = ", ".join(map(repr, names[:SHOWN])) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    first = found.data.labels.names[found.rows.label[rows[0]]]
    text = f"label {first!r}" if len(names) == 1 else f"label {first!r}; {len(names)} such labels: {shown}"
    findings.add(rule, found.where(int(rows[0])), text, "a label of the ground truth", hint, len(rows))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _same_id(mine: Labels, theirs: Labels, name: str) -> str | None:
    """The ground truth's label of the same id, where predictions do not know it by its name."""
    if mine.ids is None or theirs.ids is None:
        return None
    place = np.flatnonzero(mine.ids == theirs.ids[theirs.index(name)])
    other = mine.names[int(place[0])] if len(place) else None
    return other if other is not None and other not in theirs else None


def _map_hint(names: dict[str, str]) -> str:
    name, other = next(iter(names.items()))
    return f"{name!r} looks like {other!r}: map it (labels={{{name!r}: {other!r}}}, --label-map)"


def _disjoint_hint(mine: Labels, theirs: Labels, unknown: list[str]) -> str:
    if all(name.lstrip("-").isdigit() for name in unknown) and not any(
        name.lstrip("-").isdigit() for name in mine.names
    ):
        return "predictions name their labels by number: read them with the labels of the ground truth (labels=)"
    for name in unknown:
        other = _same_id(mine, theirs, name)
        if other:
            return _map_hint({name: other})
    return f"the ground truth has {', '.join(map(repr, mine.names[:SHOWN]))}: give a label map"


def _check_shifted(mine: Labels, theirs: Labels, found: Side, findings: Findings) -> None:
    if mine.ids is None or theirs.ids is None or mine is theirs:
        return
    ids = dict(zip(mine.names, mine.ids.tolist(), strict=True))
    other = [
        (name, ids[name], number)
        for name, number in zip(theirs.names, theirs.ids.tolist(), strict=True)
        if name in ids and ids[name] != number and number in set(ids.values())
    ]
    if other:
        name, expected, number = other[0]
        findings.add(
            "label-ids",
            f"{found.name}: labels",
            f"{name!r} with the id {number}",
            f"{expected}, as in the ground truth",
            "labels are joined by name: check that these names are right",
            len(other),
        )


def check_images(truth: Side, found: Side, joined: Aligned, findings: Findings) -> None:
    """Rules on images: those the ground truth does not have, and those without an answer."""
    if not len(truth.data.images) or not len(found.data.images):
        return
    names = joined.unknown_images
    shown = ", ".join(map(repr, names[:SHOWN])) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")
    if len(names) == len(found.data.images) or (joined.left_out and joined.left_out == len(found.rows)):
        findings.add(
            "image-disjoint",
            f"{found.name}: images",
            f"no image of the ground truth: {shown}",
            f"images such as {truth.data.images.key(0)!r}",
            "are these predictions of another data set?",
            len(names),
        )
        return
    if joined.left_out:
        unknown = set(names)
        places = [place for place, key in enumerate(found.data.images.keys) if key in unknown]
        rows = np.flatnonzero(np.isin(found.rows.image, places))
        where = found.where(int(rows[0])) if len(rows) else f"{found.name}: images"
        findings.add(
            "image-unknown", where, f"{len(names):,} images that the ground truth does not have: {shown}",
            "images of the ground truth", "", joined.left_out,
        )  # fmt: skip
    missing = joined.images_without_answer
    if len(missing):
        keys = [truth.data.images.key(int(i)) for i in missing[:SHOWN]]
        more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
        findings.add(
            "image-unanswered",
            f"{found.name}: images",
            f"no answer for {', '.join(map(repr, keys))}{more}",
            f"an answer for each of the {len(truth.data.images):,} images",
            "",
            len(missing),
        )


def check_ids(truth: Side, findings: Findings) -> None:
    """Rules on the ids of ground truth."""
    ids = truth.rows.ids
    if ids is None or not len(ids) or "ids" in truth.rows.derived:
        return
    order = np.argsort(ids, kind="stable")
    again = np.sort(order[1:][np.diff(ids[order]) == 0])
    findings.add_rows("id-duplicate", truth, again, lambda row: f"id {ids[row]} once more", "unique ids")
    findings.add_rows("id-zero", truth, np.flatnonzero(ids == 0), lambda row: "id 0", "ids from 1")
