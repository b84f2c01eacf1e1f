"""rapideval: from the answer of a hosted inference endpoint to a release decision.

Names are imported where they are first used, so ``import rapideval`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it, or that it is
_EXPORTS = {
    "Annotations": "rapideval.model",
    "Answer": "rapideval.payloads",
    "Dataset": "rapideval.model",
    "Evaluation": "rapideval.metrics",
    "Images": "rapideval.model",
    "Labels": "rapideval.model",
    "Masks": "rapideval.model",
    "Polygons": "rapideval.model",
    "Protocol": "rapideval.metrics",
    "evaluate": "rapideval.metrics",
    "interop": "rapideval.interop",
    "load": "rapideval.loading",
    "parse": "rapideval.payloads",
    "read": "rapideval.formats",
    "read_answers": "rapideval.payloads",
    "to_payload": "rapideval.payloads",
    "write": "rapideval.formats",
}

__all__ = ["__version__", *_EXPORTS]

if TYPE_CHECKING:
    # "X as X" tells type checkers that the name is exported
    from rapideval import interop as interop
    from rapideval.formats import read as read
    from rapideval.formats import write as write
    from rapideval.loading import load as load
    from rapideval.metrics import Evaluation as Evaluation
    from rapideval.metrics import Protocol as Protocol
    from rapideval.metrics import evaluate as evaluate
    from rapideval.model import Annotations as Annotations
    from rapideval.model import Dataset as Dataset
    from rapideval.model import Images as Images
    from rapideval.model import Labels as Labels
    from rapideval.model import Masks as Masks
    from rapideval.model import Polygons as Polygons
    from rapideval.payloads import Answer as Answer
    from rapideval.payloads import parse as parse
    from rapideval.payloads import read_answers as read_answers
    from rapideval.payloads import to_payload as to_payload


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'rapideval' has no attribute {name!r}")
    from importlib import import_module

    found = import_module(module)
    value = found if module == f"rapideval.{name}" else getattr(found, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
