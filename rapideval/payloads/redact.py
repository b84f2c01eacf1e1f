"""Keys, credentials and signatures taken out of what people and files get to see."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

__all__ = ["redact", "unsigned_url"]

_CREDENTIALS = re.compile(
    r"""(?P<scheme>\b(?:Basic|Bearer|Token)\s+)[A-Za-z0-9+/=._~-]{6,}   # the value of an Authorization header
      | (?P<header>\bAuthorization['"]?\s*[:=]\s*['"]?)[^\s'",}]+(?:\s+[A-Za-z0-9+/=._~-]{6,})?
      | \b(?P<kind>live|test)_(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{6,}           # an API key: it has a digit
      | \b(?P<long>live|test)_[A-Za-z0-9]{20,}""",
    re.VERBOSE | re.IGNORECASE,
)

# Query parameters that grant access, or that only a signed address has.
_SIGNATURE = re.compile(
    r"^(x-amz-.*|x-goog-.*|awsaccesskeyid|googleaccessid|signature|expires|key-pair-id|policy|sig|se|sp|sv|sr|st|spr"
    r"|skoid|sktid|skt|ske|sks|skv|token|access_token|api_key|apikey)$",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"[?&](x-amz-signature|x-goog-signature|signature|sig|token|access_token|api_key|apikey)=", re.I)


def redact(text: str) -> str:
    """Replace API keys (``live_...``, ``test_...``) and the values of Authorization headers.

    Examples
    --------
    >>> redact("401 for live_0123456789abcdef, Authorization: Basic bGl2ZV8wMTIzOg==")
    '401 for live_***, Authorization: ***'
    >>> redact("test_images.json")
    'test_images.json'
    """

    def replacement(match: re.Match[str]) -> str:
        prefix = match["kind"] or match["long"]
        return f"{prefix}_***" if prefix else f"{match['header'] or match['scheme']}***"

    return _CREDENTIALS.sub(replacement, text)


def unsigned_url(key: str) -> str:
    """Give a URL without user, password and the query parameters that sign it; anything else stays as it is.

    Examples
    --------
    >>> unsigned_url("https://b.s3.amazonaws.com/a.jpg?v=2&X-Amz-Signature=abc&X-Amz-Date=1")
    'https://b.s3.amazonaws.com/a.jpg?v=2'
    >>> unsigned_url("holdout/a.jpg")
    'holdout/a.jpg'
    """
    if "://" not in key:
        return key
    try:
        parts = urlsplit(key)
    except ValueError:
        return key
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if _SIGNED.search("?" + query):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not _SIGNATURE.match(name)])
    if (host, query) == (parts.netloc, parts.query):
        return key
    return urlunsplit(parts._replace(netloc=host, query=query))
