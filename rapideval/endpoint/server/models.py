"""Model versions: what is named on the command line, loaded inside a worker process.

A model version is one of

- ``package.module:function``: called with an image, uint8 of shape (H, W, 3), returns its payload;
- ``replay:PATH``: answers recorded before, found by the image's name;
- ``builtin:VERSION/TASK``: one of the classical segmenters and detectors of the demonstration.

A payload is what the endpoint's documentation calls one item of RESULT_PAYLOAD: a dict with ``boxes``, ``scores`` and
``labels``, with ``masks``, or with ``semantic_segmentation_mask``. Its values may be NumPy arrays.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.endpoint.pixels import decode_image, dense_json, raw_image
from rapideval.endpoint.server.fetch import read_reference
from rapideval.endpoint.server.limits import Limits, Places
from rapideval.errors import UsageError

__all__ = ["Model", "ModelSource", "load", "payload_json"]

Payload = Mapping[str, Any]

_MASK_KEYS = ("masks", "semantic_segmentation_mask")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model version as it was named: ``text`` is ``KIND:REST`` or ``package.module:function``."""

    text: str

    @classmethod
    def parse(cls, text: str) -> ModelSource:
        """The source a text names.

        Raises
        ------
        UsageError
            Where it is none of the three kinds.
        """
        kind, colon, rest = text.partition(":")
        if not (colon and rest) or (kind not in ("replay", "builtin") and not _is_dotted(kind, rest)):
            raise UsageError(
                f"no model: {text!r}; expected package.module:function, replay:PATH of recorded answers,"
                " or builtin:VERSION/TASK"
            )
        return cls(f"replay:{Path(rest).absolute()}" if kind == "replay" else text)

    @property
    def kind(self) -> str:
        """``replay``, ``builtin`` or ``function``."""
        kind = self.text.partition(":")[0]
        return kind if kind in ("replay", "builtin") else "function"

    @property
    def shown(self) -> str:
        """How people know it: without the folders of recorded answers."""
        return f"replay:{Path(self.text.partition(':')[2]).name}" if self.kind == "replay" else self.text


def _is_dotted(module: str, function: str) -> bool:
    return all(part.isidentifier() for part in [*module.split("."), *function.split(".")])


class Model(Protocol):
    """A loaded model version."""

    def answer(self, reference: Any, where: str) -> Payload | msgspec.Raw:
        """The payload of one image, given as a URL or as nested lists; or its JSON text."""
        ...


class _Function:
    """A callable that takes pixels."""

    def __init__(self, function: Callable[[npt.NDArray[np.uint8]], Any], places: Places, limits: Limits) -> None:
        self._function, self._places, self._limits = function, places, limits

    def answer(self, reference: Any, where: str) -> Payload:
        pixels = self._limits.pixels
        if isinstance(reference, str):
            image = decode_image(read_reference(reference, self._places, self._limits), where, pixels)
        else:
            image = raw_image(reference, where, pixels)
        payload: Payload = self._function(image)
        return payload


def load(source: ModelSource, places: Places, limits: Limits) -> Model:
    """Load a model version; whatever its module raises passes through."""
    name = source.text.partition(":")[2]
    if source.kind == "replay":
        from rapideval.endpoint.server.replay import Replay

        model: Model = Replay(Path(name))
        return model
    if source.kind == "builtin":
        from rapideval.endpoint.builtin_models import MODELS

        version, _, task = name.partition("/")
        builtin = MODELS.get(version, {}).get(task)
        if builtin is None:
            known = ", ".join(f"{version}/{task}" for version, tasks in MODELS.items() for task in tasks)
            raise UsageError(f"no built-in model {name!r}; there are {known}")
        return _Function(builtin, places, limits)
    module, _, path = source.text.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise UsageError(f"{source.text} is a {type(found).__name__}, not a function of an image")
    return _Function(found, places, limits)


# --- payloads as text ----------------------------------------------------------------------------


def payload_json(payload: Payload) -> bytes:
    """The JSON text of one image's payload; masks are written from arrays without a Python object each pixel.

    Examples
    --------
    >>> payload_json({"boxes": np.array([[1.0, 2.0, 3.5, 4.0]]), "scores": [0.5], "labels": ["car"]})
    b'{"boxes":[[1.0,2.0,3.5,4.0]],"scores":[0.5],"labels":["car"]}'
    >>> payload_json({"semantic_segmentation_mask": np.eye(2, dtype=bool)})
    b'{"semantic_segmentation_mask":[[1,0],[0,1]]}'
    """
    return _encoder.encode({key: _mask_text(value) if key in _MASK_KEYS else value for key, value in payload.items()})


def _mask_text(value: Any) -> Any:
    """Masks as JSON text where they are arrays of 0 and 1; other forms as they are."""
    if isinstance(value, np.ndarray):
        return msgspec.Raw(dense_json(value)) if value.dtype in (np.bool_, np.uint8) else value
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, np.ndarray) for item in value):
        return [_mask_text(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    raise TypeError(f"a value of type {type(value).__name__} in the payload, which JSON cannot hold")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
