"""Which labels are taken for which, and what is taken for background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import UsageError
from rapideval.metrics.matches import Matches
from rapideval.metrics.matching import match_columns, refused
from rapideval.metrics.protocol import Protocol
from rapideval.model import Aligned
from rapideval.model.columns import Frozen

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BACKGROUND", "ConfusionMatrix", "confusion_matrix", "with_other_labels"]

BACKGROUND = "background"


class ConfusionMatrix(Frozen):
    """Counts by what is there (rows) and what was found (columns); the last of each is background.

    Attributes
    ----------
    labels : tuple of str
        The K labels.
    counts : int64 array of shape (K + 1, K + 1)
        ``counts[i, j]``: objects of label i found as label j. The last column counts objects that were not found, the
        last row detections of nothing.
    title
        Where it was counted.

    Examples
    --------
    >>> matrix = ConfusionMatrix(("cat", "dog"), np.array([[8, 1, 1], [0, 5, 0], [2, 0, 0]]), "an example")
    >>> matrix.normalised().round(2).tolist()
    [[0.8, 0.1, 0.1], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    >>> matrix.most_confused(1)
    [('cat', 'dog', 1)]
    """

    __slots__ = ("counts", "labels", "title")
    labels: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    title: str

    def __init__(self, labels: tuple[str, ...], counts: npt.NDArray[np.int64], title: str) -> None:
        self._set(labels=labels, counts=counts, title=title)

    @property
    def names(self) -> tuple[str, ...]:
        """Labels, and background."""
        return (*self.labels, BACKGROUND)

    def normalised(self) -> npt.NDArray[np.float64]:
        """Each row divided by its sum; NaN where there is nothing of the row."""
        sums = self.counts.sum(axis=1, keepdims=True)
        shares = np.full(self.counts.shape, np.nan)
        np.divide(self.counts, sums, out=shares, where=sums > 0)
        return shares

    def most_confused(self, count: int = 10) -> list[tuple[str, str, int]]:
        """The pairs (there, found as, how often) of different labels that were confused most."""
        pairs = self.counts[:-1, :-1].copy()
        np.fill_diagonal(pairs, 0)
        order = np.argsort(-pairs, axis=None, kind="stable")[:count]
        rows, columns = np.unravel_index(order, pairs.shape)
        return [
            (self.labels[i], self.labels[j], int(pairs[i, j]))
            for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
            if pairs[i, j]
        ]

    def to_pandas(self) -> pd.DataFrame:
        """A data frame, what is there by what was found."""
        import pandas as pd

        names = list(self.names)
        return pd.DataFrame(self.counts, pd.Index(names, name="there"), pd.Index(names, name="found as"))

    def __repr__(self) -> str:
        right = int(np.trace(self.counts[:-1, :-1]))
        missed, wrong = int(self.counts[:-1, -1].sum()), int(self.counts[-1, :-1].sum())
        confused = int(self.counts[:-1, :-1].sum()) - right
        return (
            f"ConfusionMatrix({len(self.labels):,} labels, {self.title}: {right:,} right, {confused:,} confused, "
            f"{missed:,} missed, {wrong:,} of nothing)"
        )

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html())


def confusion_matrix(matches: Matches, score: float = 0.5) -> ConfusionMatrix:
    """Count what is taken for what, among detections of at least some score.

    The diagonal is the true positives that COCO's matching finds, so it agrees with precision and recall at the same
    operating point. A false positive that reaches the IoU with an object of another label, which nothing of its own
    label has found, is a confusion; an object is confused once, by the surest such detection. All other false
    positives are of background, all other objects missed. Detections and objects that do not count are left out.

    Parameters
    ----------
    matches
        With other labels (`with_other_labels`); objects are found at the protocol's reference IoU.
    score
        Detections of at least this score count.

    Raises
    ------
    UsageError
        Where the table does not tell overlaps with other labels, or labels played no role in the matching.
    """
    if matches.protocol.class_agnostic:
        raise UsageError("a class-agnostic evaluation confuses no labels")
    if matches.other_iou is None or matches.other_row is None:
        raise UsageError("this table does not tell overlaps with other labels: evaluate again, or save with them")
    objects = matches.objects
    reference = matches.protocol.reference_iou
    background = len(matches.labels)
    counts = np.zeros((background + 1, background + 1), np.int64)
    chosen = matches.score >= score
    right = matches.is_true() & chosen
    np.add.at(counts, (matches.label[right], matches.label[right]), 1)

    missed = matches.object_counts()
    taken = matches.matched_row[matches.is_matched() & chosen]
    missed[taken[taken >= 0]] = False
    wrong = np.flatnonzero(matches.is_false() & chosen)
    wrong = wrong[np.argsort(-matches.score[wrong], kind="stable")]
    other = matches.other_row[wrong]
    reaches = (other >= 0) & (matches.other_iou[wrong] >= min(reference, 1 - 1e-10))
    reaches[reaches] = missed[other[reaches]]
    # The surest detection of each object comes first.
    claimed, first = np.unique(other[reaches], return_index=True)
    confused = np.flatnonzero(reaches)[first]
    np.add.at(counts, (objects.label[claimed], matches.label[wrong[confused]]), 1)
    missed[claimed] = False
    of_nothing = np.delete(wrong, confused)
    counts[background] += np.bincount(matches.label[of_nothing], minlength=background + 1)
    counts[:, background] += np.bincount(objects.label[missed], minlength=background + 1)
    return ConfusionMatrix(matches.labels.names, counts, f"at score {score:g} and IoU {reference:g}")


def with_other_labels(matches: Matches, aligned: Aligned, threads: int = 0) -> Matches:
    """The table with `other_iou` and `other_row`: overlaps with objects of other labels."""
    if matches.other_iou is not None:
        return matches
    protocol = Protocol(task=matches.protocol.task)  # labels as they stand
    columns: dict[str, Any] = match_columns(aligned, protocol, threads)
    names = ("image", "label", "shapes")
    try:
        iou, row = _core.best_others(
            **{f"prediction_{name}": columns[f"prediction_{name}"] for name in names},
            rows=matches.row,
            **{f"truth_{name}": columns[f"truth_{name}"] for name in names},
            truth_crowd=columns["truth_crowd"],
            images=len(matches.images),
            iou_floor=matches.protocol.iou_floor,
            threads=threads,
        )
    except _core.CoreError as error:
        raise refused(error, aligned) from None
    return matches.replace(other_iou=iou, other_row=row)
