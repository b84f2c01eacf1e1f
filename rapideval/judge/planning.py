"""What a holdout can tell, before and after: the smallest drop it can detect, and how many images would settle a rule.

Both rest on the standard error of the difference, estimated by the bootstrap, and on its shrinking as 1/√n with the
number of images. They are plans, not promises: new images are taken to be like the ones at hand.

References
----------
Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure. J. Pharmacokin. Biopharm. 15
(non-inferiority and its power).
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = ["detectable_drop", "images_to_settle"]

_NORMAL = NormalDist()


def detectable_drop(deviation: float, level: float = 0.95, power: float = 0.8) -> float:
    """Smallest true drop beyond the margin that the gate fails with probability `power`.

    Parameters
    ----------
    deviation
        Standard error of the difference on this holdout.
    level
        Of the gate's interval: a drop is called at its lower tail, (1 - level) / 2.

    Examples
    --------
    >>> round(detectable_drop(0.01), 4)
    0.028
    """
    return (_NORMAL.inv_cdf((1 + level) / 2) + _NORMAL.inv_cdf(power)) * deviation


def images_to_settle(
    difference: float, deviation: float, margin: float, images: int, level: float = 0.95, power: float = 0.8
) -> int | None:
    """How many images would settle whether the difference lies above or below −margin, were it what it seems.

    Returns
    -------
    int or None
        At least 1; None where the difference sits on the margin (no number of images would settle it), or where the
        deviation is not known.

    Examples
    --------
    >>> images_to_settle(-0.002, 0.01, margin=0.01, images=500)
    6132
    """
    distance = abs(difference + margin)
    if not math.isfinite(deviation) or not math.isfinite(distance) or distance < 1e-9:
        return None
    needed = images * (detectable_drop(deviation, level, power) / distance) ** 2
    return max(1, math.ceil(needed)) if needed < 1e9 else None
