"""Who may ask: whoever has the key, sent as the user name of Basic authentication with an empty password."""

from __future__ import annotations

import base64
import binascii

from rapideval.endpoint.secrets import ApiKey

__all__ = ["KeyCheck"]


class KeyCheck:
    """Compares the Authorization header of requests with the key.

    Examples
    --------
    >>> check = KeyCheck(ApiKey("test_0123456789"))
    >>> check(ApiKey("test_0123456789").authorization()), check("Basic eDo="), check("")
    (True, False, False)
    """

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, header: str) -> bool:
        """Whether a header carries the key; takes as long for any key."""
        scheme, _, credentials = header.partition(" ")
        try:
            text = base64.b64decode(credentials.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        user, colon, password = text.partition(":")
        same = self._key.same_as(user)
        return same and scheme.lower() == "basic" and colon == ":" and not password
