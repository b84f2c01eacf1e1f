"""The services whose payloads are read, one module each.

A service's module has three functions: `recognises` tells its payload from others by shape, `split` gives the images of
a payload in order, and `read` adds the annotations of one of them to a `Context`. Its docstring states its coordinates,
scores, mask encoding, and the source of that knowledge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rapideval.errors import UsageError
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.text import Tree, shown

__all__ = ["SERVICES", "Service", "choose", "service"]


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose payloads are read.

    Attributes
    ----------
    name
        What ``payload=`` and ``--payload`` call it.
    title
        What people call it.
    module
        Where it is read, imported when first used.
    """

    name: str
    title: str
    module: str

    def _function(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(import_module(self.module), name)
        return function

    def recognises(self, tree: Tree) -> bool:
        """Whether a payload has this service's shape."""
        return bool(self._function("recognises")(tree))

    def split(self, tree: Tree, place: Place, options: Options) -> list[ImageResult]:
        """The images of a payload, in order."""
        results: list[ImageResult] = self._function("split")(tree, place, options)
        return results

    def read(self, result: ImageResult, context: Context) -> None:
        """Add the annotations of one image."""
        self._function("read")(result, context)

    @property
    def description(self) -> str:
        """First line of the module's docstring."""
        return (import_module(self.module).__doc__ or "").partition("\n")[0]


SERVICES: dict[str, Service] = {
    item.name: item
    for item in (
        Service("scale-rapid", "Scale Rapid", "rapideval.payloads.rapid"),
        Service("scale-nucleus", "Scale Launch for Nucleus", "rapideval.payloads.scale_nucleus"),
        Service("roboflow", "Roboflow", "rapideval.payloads.roboflow"),
        Service("huggingface", "Hugging Face", "rapideval.payloads.huggingface"),
        Service("ultralytics", "Ultralytics", "rapideval.payloads.ultralytics"),
        Service("vertex", "Google Vertex AI", "rapideval.payloads.vertex"),
        Service("sagemaker", "Amazon SageMaker", "rapideval.payloads.sagemaker"),
        Service("rekognition", "Amazon Rekognition", "rapideval.payloads.rekognition"),
        Service("tf-serving", "TensorFlow Serving", "rapideval.payloads.tf_serving"),
        Service("kserve", "KServe and Triton", "rapideval.payloads.kserve"),
    )
}


def service(name: str) -> Service:
    """The service of that name."""
    try:
        return SERVICES[name]
    except KeyError:
        from difflib import get_close_matches

        near = get_close_matches(name, SERVICES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"no payload {name!r}: {hint}there are {', '.join(SERVICES)}") from None


def choose(tree: Tree, place: Place) -> Service:
    """The service whose shape a payload has; Scale Rapid where none has, whose errors then say what is missing."""
    fitting = [item for item in SERVICES.values() if item.recognises(tree)]
    if len(fitting) > 1:
        names = " and ".join(item.name for item in fitting)
        refuse("payload-ambiguous", place, f"{shown(tree)}, which fits {names}", "one service", "name it with payload=")
    return fitting[0] if fitting else SERVICES["scale-rapid"]
