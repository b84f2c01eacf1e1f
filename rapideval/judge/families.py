"""Many tests at once: keeping the chance of a false alarm over a family of rules what it says.

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6.
Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. J. R. Statist. Soc. B 57.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Correction", "adjust"]

Correction = Literal["holm", "bh", "none"]


def adjust(p_values: npt.ArrayLike, correction: Correction = "holm") -> npt.NDArray[np.float64]:
    """Adjusted p-values: compare each with the level of the whole family.

    Parameters
    ----------
    p_values : array of shape (K,)
        NaN (a test that could not be made) stays NaN and does not count towards the family.
    correction
        ``"holm"`` bounds the chance of any false alarm, ``"bh"`` the expected share of false ones among the alarms,
        ``"none"`` neither.

    Returns
    -------
    float64 array of shape (K,)

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust([0.01, 0.04, 0.03], "bh").tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.array(p_values, np.float64)
    made = np.flatnonzero(~np.isnan(p))
    if correction == "none" or len(made) < 2:
        return p
    order = made[np.argsort(p[made], kind="stable")]
    ranked = p[order]
    count = len(order)
    if correction == "holm":
        adjusted = np.maximum.accumulate(ranked * (count - np.arange(count)))
    elif correction == "bh":
        adjusted = np.minimum.accumulate((ranked * count / np.arange(1, count + 1))[::-1])[::-1]
    else:
        raise ValueError(f"no correction {correction!r}: there are holm, bh, none")
    p[order] = np.minimum(adjusted, 1.0)
    return p
