"""Datasets of a few rows."""

from rapideval import Annotations, Dataset, Images, Labels

BOX, FAR = [0, 0, 10, 10], [50, 50, 10, 10]


def small(truth_rows, found_rows, labels=("cat", "dog"), images=2, found_labels=None):
    """Datasets of rows (image, label, box) and (image, label, box, score)."""
    pictures = Images([f"{i}.jpg" for i in range(images)])
    truth = Annotations(*_columns(truth_rows)) if truth_rows else Annotations.empty()
    found = Annotations(*_columns(found_rows)) if found_rows else Annotations.empty(scored=True)
    return Dataset(pictures, Labels(labels), truth), Dataset(pictures, Labels(found_labels or labels), found)


def _columns(rows):
    return [list(values) for values in zip(*rows, strict=True)]
