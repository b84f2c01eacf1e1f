"""rapideval: from the answer of a hosted inference endpoint to a release decision.

Names are imported where they are first used, so ``import rapideval`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it
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
    "parse": "rapideval.payloads",
    "read": "rapideval.formats",
    "read_answers": "rapideval.payloads",
    "to_payload": "rapideval.payloads",
    "write": "rapideval.formats",
}

__all__ = ["__version__", *_EXPORTS]

if TYPE_CHECKING:
    from rapideval.formats import read, write
    from rapideval.metrics import Evaluation, Protocol, evaluate
    from rapideval.model import Annotations, Dataset, Images, Labels, Masks, Polygons
    from rapideval.payloads import Answer, parse, read_answers, to_payload


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'rapideval' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
