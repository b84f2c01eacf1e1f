"""The images that a run asks about: files of a folder, URLs of a list, images of a COCO file, arrays.

Nothing is read or fetched here but names: files are read when they are sent, URLs are handed through to the endpoint.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import msgspec

from rapideval.endpoint.pixels import SUFFIXES
from rapideval.errors import InputError, Problem, UsageError
from rapideval.payloads.redact import unsigned_url

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["ImageInput", "ImageSource", "find_images"]

_URL_KINDS = ("http://", "https://", "s3://")


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One image to ask about; exactly one of ``url``, ``path`` and ``pixels`` is there.

    Attributes
    ----------
    key
        What its answer is filed under: a path below its folder, the URL without its signature, a COCO file name.
    url
        ``http``, ``https`` or ``s3`` URL that the endpoint reads.
    path
        File whose pixels are sent.
    pixels
        The pixels themselves, uint8 of shape (H, W, 3).
    """

    key: str
    url: str | None = None
    path: Path | None = None
    pixels: npt.NDArray[np.uint8] | None = None

    def stamp(self) -> str:
        """Something that changes when the image does: size and time of the file, digest of the pixels."""
        if self.path is not None:
            status = self.path.stat()
            return f"{status.st_size}:{status.st_mtime_ns}"
        if self.pixels is not None:
            import hashlib

            return hashlib.sha256(repr(self.pixels.shape).encode() + self.pixels.tobytes()).hexdigest()
        return ""


class _CocoImage(msgspec.Struct):
    file_name: str = ""
    coco_url: str = ""


class _CocoFile(msgspec.Struct):
    images: list[_CocoImage]


#: What names images: a folder, a file (image, list of URLs or paths, COCO), a URL, ``-`` for a list on standard input;
#: a mapping of keys to pixels; or images themselves.
ImageSource: TypeAlias = "str | Path | ImageInput | Mapping[str, npt.NDArray[np.uint8]]"


def find_images(
    sources: Sequence[ImageSource] | ImageSource, *, url_prefix: str | None = None, folder: Path | None = None
) -> Iterator[ImageInput]:
    """Find the images that sources name, in order.

    Parameters
    ----------
    sources
        See `ImageSource`. A folder is searched at any depth, in the order of the paths.
    url_prefix
        What makes a URL of the path below a folder, or of a COCO file name: the images are there already, and their
        URLs are sent instead of their pixels.
    folder
        Where the images of COCO files and relative paths of lists are; the folder of the file by default.

    Raises
    ------
    InputError
        Where a source is none, or names no images.

    Examples
    --------
    >>> [image.key for image in find_images(["s3://bucket/a.jpg", "https://host/b.jpg?X-Amz-Signature=c"])]
    ['s3://bucket/a.jpg', 'https://host/b.jpg']
    """
    if isinstance(sources, (str, Path, ImageInput, Mapping)):
        sources = [sources]
    for source in sources:
        found = False
        for image in _images_of(source, url_prefix, folder):
            found = True
            yield image
        if not found:
            shown = source if isinstance(source, (str, Path)) else type(source).__name__
            kinds = ", ".join(SUFFIXES)
            raise InputError(Problem("no-images", str(shown), "no images", f"images ({kinds}) or URLs of some"))


def _images_of(source: ImageSource, url_prefix: str | None, folder: Path | None) -> Iterable[ImageInput]:
    if isinstance(source, ImageInput):
        return [source]
    if isinstance(source, Mapping):
        return _from_arrays(source)
    text = str(source)
    if text.lower().startswith(_URL_KINDS):
        return [ImageInput(unsigned_url(text), url=text)]
    if text == "-":
        return _from_list("standard input", sys.stdin, folder or Path(), url_prefix)
    path = Path(source)
    if path.is_dir():
        return _from_folder(path, url_prefix)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return [_file(path.name, path, url_prefix)]
    if suffix == ".json":
        return _from_coco(path, folder, url_prefix)
    return _from_list_file(path, folder or path.parent, url_prefix)


def _file(key: str, path: Path, url_prefix: str | None) -> ImageInput:
    if url_prefix is not None:
        return ImageInput(key, url=_joined(url_prefix, key))
    if not path.is_file():
        raise InputError(Problem("image-missing", str(path), "no such file", "an image"))
    return ImageInput(key, path=path.absolute())


def _joined(prefix: str, key: str) -> str:
    # S3 keys are names, not URLs: they are not quoted
    return prefix + (key if prefix.lower().startswith("s3://") else quote(key))


def _from_folder(folder: Path, url_prefix: str | None) -> Iterator[ImageInput]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield _file(relative.as_posix(), path, url_prefix)


def _from_list_file(path: Path, folder: Path, url_prefix: str | None) -> Iterator[ImageInput]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            yield from _from_list(str(path), lines, folder, url_prefix)
    except OSError as error:
        raise InputError(
            Problem("file-unreadable", str(path), error.strerror or "an error", "a readable file")
        ) from None
    except UnicodeDecodeError:
        raise InputError(
            Problem("no-images", str(path), "a file that is no text", "a folder, an image, a COCO file, a list of URLs")
        ) from None


def _from_list(name: str, lines: Iterable[str], folder: Path, url_prefix: str | None) -> Iterator[ImageInput]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.lower().startswith(_URL_KINDS):
            yield ImageInput(unsigned_url(text), url=text)
        elif "://" in text:
            raise InputError(Problem("image-url", f"{name}: line {number}", text[:80], "an http, https or s3 URL"))
        else:
            path = folder / text
            if url_prefix is None and not path.is_file():
                raise InputError(
                    Problem("image-missing", f"{name}: line {number}", f"no file {path}", "a URL or a file")
                )
            yield _file(text, path, url_prefix)


def _from_coco(path: Path, folder: Path | None, url_prefix: str | None) -> Iterator[ImageInput]:
    try:
        images = msgspec.json.decode(path.read_bytes(), type=_CocoFile).images
    except OSError as error:
        raise InputError(
            Problem("file-unreadable", str(path), error.strerror or "an error", "a readable file")
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem("no-images", str(path), f"no COCO file ({error})", "an object with images")) from None
    for index, image in enumerate(images):
        name = image.file_name or image.coco_url
        where = f"{path}: $.images[{index}]"
        if not name:
            raise InputError(Problem("image-name", where, "neither file_name nor coco_url", "a name"))
        if url_prefix is not None:
            yield ImageInput(name, url=_joined(url_prefix, name))
        elif folder is not None or not image.coco_url:
            file = (folder or path.parent) / name
            if not file.is_file():
                hint = "say where the images are: folder= (--folder), or url_prefix= (--url-prefix)"
                raise InputError(Problem("image-missing", where, f"no file {file}", "an image", hint))
            yield ImageInput(name, path=file.absolute())
        else:
            yield ImageInput(name, url=image.coco_url)


def _from_arrays(arrays: Mapping[str, Any]) -> Iterator[ImageInput]:
    import numpy as np

    for key, array in arrays.items():
        pixels = np.asarray(array)
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise UsageError(
                f"image {key!r}: {pixels.dtype} of shape {pixels.shape}; expected uint8 of shape (H, W, 3)"
            )
        yield ImageInput(key, pixels=pixels)
