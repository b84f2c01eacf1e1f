"""Canonical objects: columns, immutable, checked on construction. No input or output happens here."""

from rapideval.model.annotations import Annotations, Source
from rapideval.model.columns import Extras
from rapideval.model.dataset import Annotation, Dataset
from rapideval.model.images import Image, Images
from rapideval.model.join import Aligned, align, image_tail, match_images
from rapideval.model.labels import Label, Labels
from rapideval.model.masks import Masks
from rapideval.model.polygons import Polygons

__all__ = [
    "Aligned",
    "Annotation",
    "Annotations",
    "Dataset",
    "Extras",
    "Image",
    "Images",
    "Label",
    "Labels",
    "Masks",
    "Polygons",
    "Source",
    "align",
    "image_tail",
    "match_images",
]
