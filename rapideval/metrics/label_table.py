"""A table of one row a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from rapideval.model.columns import Frozen

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelTable"]


class LabelTable(Frozen):
    """Columns of one row a label, in the order of the evaluation's labels. Undefined values are NaN.

    Attributes
    ----------
    columns : dict of str to array of shape (K,)
        ``label`` and what there is to say of it.
    title
        What it shows, such as the operating point.

    Examples
    --------
    >>> import numpy as np
    >>> table = LabelTable({"label": np.array(["cat"], object), "AP": np.array([0.5])}, "an example")
    >>> table["AP"].tolist(), list(table.rows()), table
    ([0.5], [{'label': 'cat', 'AP': 0.5}], LabelTable(1 label: an example))
    """

    __slots__ = ("columns", "title")
    columns: dict[str, npt.NDArray[Any]]
    title: str

    def __init__(self, columns: dict[str, npt.NDArray[Any]], title: str) -> None:
        self._set(columns=columns, title=title)

    def __len__(self) -> int:
        return len(self.columns["label"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries of plain values."""
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """A data frame, indexed by label."""
        import pandas as pd

        return pd.DataFrame(self.columns).set_index("label")

    def __repr__(self) -> str:
        return f"LabelTable({len(self):,} label{'' if len(self) == 1 else 's'}: {self.title})"

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(na_rep="–", float_format="{:.3f}".format))
