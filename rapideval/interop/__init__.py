"""Objects of other libraries to and from `Dataset`; each library is imported where its objects are made.

What is made is returned with `Losses`, what a library cannot hold of the dataset; what is left out in taking an object
is told in `Dataset.notes`.
"""

from rapideval.interop.coco_objects import from_pycocotools, to_pycocotools
from rapideval.interop.geo_frames import from_geopandas, to_geopandas
from rapideval.interop.long_tables import from_pandas
from rapideval.interop.losses import losses
from rapideval.interop.supervision_detections import from_supervision, to_supervision
from rapideval.interop.target_dicts import from_torchvision, from_transformers, to_torchvision
from rapideval.interop.ultralytics_results import from_ultralytics

__all__ = [
    "from_geopandas",
    "from_pandas",
    "from_pycocotools",
    "from_supervision",
    "from_torchvision",
    "from_transformers",
    "from_ultralytics",
    "losses",
    "to_geopandas",
    "to_pycocotools",
    "to_supervision",
    "to_torchvision",
]
