"""Outlines of masks along pixel edges, one pixel after another: plain, slow, and the measure of the kernel."""

from __future__ import annotations

import numpy as np

from rapideval.model.columns import offsets_of

RIGHT = {(1, 0): (0, 1), (0, 1): (-1, 0), (-1, 0): (0, -1), (0, -1): (1, 0)}
SIDES = (((0, 0), (1, 0), (0, -1)), ((1, 0), (0, 1), (1, 0)), ((1, 1), (-1, 0), (0, 1)), ((0, 1), (0, -1), (-1, 0)))


def rings_of(mask):
    """Rings with the mask on their right; where two could go on, the one round the same pixel."""
    height, width = mask.shape
    edges = {}
    for y, x in zip(*np.nonzero(mask), strict=True):
        for (cx, cy), direction, (nx, ny) in SIDES:
            if not (0 <= x + nx < width and 0 <= y + ny < height and mask[y + ny, x + nx]):
                edges.setdefault((int(x + cx), int(y + cy)), []).append(direction)
    rings = []
    while edges:
        start = min(edges, key=lambda p: (p[1], p[0]))
        point, direction = start, edges[start][0]
        first, ring = direction, []
        while True:
            edges[point].remove(direction)
            if not edges[point]:
                del edges[point]
            ring.append(point)
            point = (point[0] + direction[0], point[1] + direction[1])
            if point == start and (first not in edges.get(point, ())) and RIGHT[direction] not in edges.get(point, ()):
                break
            choices = edges[point]
            direction = RIGHT[direction] if RIGHT[direction] in choices else choices[0]
        rings.append(_corners(ring))
    return rings


def _corners(ring):
    points = np.array(ring)
    step, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    return points[(step != after).any(axis=1)].astype(float)


def area(ring):
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def plain_outlines(masks):
    """The columns of rle_outlines."""
    import shapely

    coordinates, lengths, counts, holes = [], [], [], []
    for row in range(len(masks)):
        rings = rings_of(masks.dense(row)) if masks.present[row] else []
        outer = sorted((ring for ring in rings if area(ring) > 0), key=lambda ring: -area(ring))
        inner = [ring for ring in rings if area(ring) < 0]
        groups = [[ring] for ring in outer]
        for hole in inner:
            shape = shapely.make_valid(shapely.Polygon(hole))
            around = [g for g in groups if shapely.make_valid(shapely.Polygon(g[0])).covers(shape)]
            around[-1].append(hole)
        for group in groups:
            for i, ring in enumerate(group):
                coordinates.append(ring)
                lengths.append(len(ring))
                holes.append(i > 0)
        counts.append(len(rings))
    points = np.concatenate(coordinates) if coordinates else np.empty((0, 2))
    return points, offsets_of(lengths), offsets_of(counts), np.array(holes, bool)
