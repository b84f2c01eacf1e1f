"""Datasets as pandas and Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rapideval.model.dataset import Dataset

__all__ = ["to_arrow", "to_pandas"]


def to_pandas(dataset: Dataset) -> pd.DataFrame:
    """See `Dataset.to_pandas`."""
    import pandas as pd

    rows = dataset.annotations
    columns: dict[str, Any] = {
        "image": pd.Categorical.from_codes(rows.image, pd.Index(_unique(dataset.images.keys))),
        "label": pd.Categorical.from_codes(rows.label, pd.Index(dataset.labels.names)),
        "x": rows.box[:, 0],
        "y": rows.box[:, 1],
        "width": rows.box[:, 2],
        "height": rows.box[:, 3],
        "area": rows.area,
        "crowd": rows.crowd,
    }
    if rows.score is not None:
        columns["score"] = rows.score
    if rows.ids is not None:
        columns["id"] = rows.ids
    return pd.DataFrame(columns, copy=False)


def to_arrow(dataset: Dataset) -> pa.Table:
    """See `Dataset.to_arrow`."""
    import pyarrow as pa

    rows = dataset.annotations

    def dictionary(codes: Any, names: tuple[str, ...]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names, pa.string()))

    columns: dict[str, Any] = {
        "image": dictionary(rows.image, dataset.images.keys),
        "label": dictionary(rows.label, dataset.labels.names),
        "box": pa.FixedSizeListArray.from_arrays(pa.array(rows.box.reshape(-1)), 4),
        "area": pa.array(rows.area),
        "crowd": pa.array(rows.crowd),
    }
    if rows.score is not None:
        columns["score"] = pa.array(rows.score)
    if rows.ids is not None:
        columns["id"] = pa.array(rows.ids)
    if rows.masks is not None:
        columns["mask_size"] = pa.FixedSizeListArray.from_arrays(pa.array(rows.masks.sizes.reshape(-1)), 2)
        columns["mask_counts"] = pa.LargeListArray.from_arrays(
            pa.array(rows.masks.offsets), pa.array(rows.masks.counts)
        )
    return pa.table(columns)


def _unique(keys: tuple[str, ...]) -> list[str]:
    """Keys as categories, which must be unique: a repeated one gets its place behind it."""
    seen: set[str] = set()
    unique = []
    for place, key in enumerate(keys):
        unique.append(f"{key} [{place}]" if key in seen else key)
        seen.add(key)
    return unique
