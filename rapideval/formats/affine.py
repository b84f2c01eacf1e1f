"""Pixels to coordinates of the world and back, by six numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError

__all__ = ["Affine"]


@dataclass(frozen=True, slots=True)
class Affine:
    """The map ``X = a x + b y + c``, ``Y = d x + e y + f``; the order is that of rasterio's Affine.

    Examples
    --------
    >>> import numpy as np
    >>> degrees = Affine.of([1e-5, 0, 13.0, 0, -1e-5, 52.0])
    >>> degrees.apply(np.array([[100.0, 200.0]])).round(6).tolist()
    [[13.001, 51.998]]
    """

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Affine:
        """The map of six numbers (of rasterio's nine, the first six); UsageError where it cannot be undone."""
        values = [float(number) for number in numbers]
        if len(values) == 9 and values[6:] == [0, 0, 1]:
            values = values[:6]
        if len(values) != 6 or not np.isfinite(values).all():
            raise UsageError(f"a transform of {len(values)} numbers {values}: six finite ones are expected")
        affine = cls(*values)
        if affine.determinant == 0:
            raise UsageError(f"a transform that maps an area to a line: {values}")
        return affine

    @property
    def determinant(self) -> float:
        """How much areas grow; below 0 where the map turns them over."""
        return self.a * self.e - self.b * self.d

    def numbers(self) -> list[float]:
        """The six numbers."""
        return [self.a, self.b, self.c, self.d, self.e, self.f]

    def apply(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """World coordinates (P, 2) of pixels."""
        x, y = points[:, 0], points[:, 1]
        return np.stack([self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f], axis=1)

    def undo(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Pixels (P, 2) of world coordinates."""
        x, y = points[:, 0] - self.c, points[:, 1] - self.f
        return np.stack([self.e * x - self.b * y, self.a * y - self.d * x], axis=1) / self.determinant
