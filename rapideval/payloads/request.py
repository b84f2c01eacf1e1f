"""What a request to an endpoint says about its images: their keys, in the order in which the answer speaks of them.

Read are the body of a call (``{"args": {...}, "return_pickled": false}``), bare ``args`` and ``{"url": ...}``, with the
images under ``image_url`` (one), ``image_urls`` or ``images`` (URLs, ``s3://`` addresses, raw images ``[H, W, 3]``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rapideval.payloads.places import Place, refuse, show
from rapideval.payloads.redact import unsigned_url
from rapideval.payloads.text import Reader, as_text, load

__all__ = ["ImageName", "read_requests", "request_images"]

_MANY = ("image_urls", "images")
_ONE = ("image_url", "url")


class ImageName(NamedTuple):
    """Key of an image and its height and width, each None where it is not known."""

    key: str | None
    size: tuple[int, int] | None = None


def read_requests(source: Any, name: str = "request") -> list[list[ImageName]]:
    """Images of each request; a list holds a request for each task."""
    document, data, value = load(source)
    place = Place(name if document == "answer" else document)
    reader = Reader()
    tree = reader.objects(value, place) if data is None else reader.document(data, place)
    if isinstance(tree, list):
        return [request_images(item, place[index]) for index, item in enumerate(tree)]
    return [request_images(tree, place)]


def request_images(request: Any, place: Place) -> list[ImageName]:
    """Images of one request.

    Examples
    --------
    >>> request_images({"args": {"image_urls": ["s3://b/1.jpg", "s3://b/2.jpg"]}}, Place("request"))
    [ImageName(key='s3://b/1.jpg', size=None), ImageName(key='s3://b/2.jpg', size=None)]
    """
    if not isinstance(request, dict):
        refuse("request", place, show(request), "an object with args")
    args = request.get("args")
    sources = [(args, place["args"])] if isinstance(args, dict) else []
    for holder, where in (*sources, (request, place)):
        given = [key for key in (*_MANY, *_ONE) if holder.get(key) not in (None, [])]
        if len(given) > 1 and not (len(given) == 2 and "url" in given):
            refuse("request", where, f"{' and '.join(given)} together", "one of them")
        if given and given[0] in _MANY:
            return _images(holder[given[0]], where[given[0]])
        if given:
            return [_image(holder[given[0]], where[given[0]])]
    keys = "args.image_url, args.image_urls, args.images or url"
    return refuse("request", place, show(request if args is None else args), f"images under {keys}")


def _images(values: Any, place: Place) -> list[ImageName]:
    if not isinstance(values, list):
        refuse("request", place, show(values), "a list of images")
    return [_image(value, place[index]) for index, value in enumerate(values)]


def _image(value: Any, place: Place) -> ImageName:
    text = as_text(value)
    if text is not None:
        if not text:
            refuse("request", place, "an empty text", "a URL or file name")
        return ImageName(None if text.startswith("data:") else unsigned_url(text))
    if isinstance(value, list) and value and isinstance(value[0], list) and value[0]:
        if any(not isinstance(row, list) or len(row) != len(value[0]) for row in value):
            refuse("request", place, "an image of rows of different length", "[H, W, 3]")
        return ImageName(None, (len(value), len(value[0])))
    return refuse("request", place, show(value), "a URL, an s3:// address or a raw image [H, W, 3]")
