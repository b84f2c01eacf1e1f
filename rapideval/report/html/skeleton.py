"""The page around the sections: style, script and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

__all__ = ["page"]


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(content: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"


def page(title: str, subtitle: str, sections: Sequence[tuple[str, str, str]], footer: str) -> str:
    """A whole page.

    Parameters
    ----------
    title, subtitle
        Text.
    sections
        Name, short title for the way there, and finished HTML of each.
    footer
        Text.
    """
    style, script = _asset("style.css"), _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
        "form-action 'none'"
    )
    links = "".join(f'<a href="#{name}">{escape(short)}</a>' for name, short, _ in sections)
    body = "".join(html for _, _, html in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the verdict</a>\n'
        f'<header class="wide"><div class="row"><h1>{escape(title)}</h1>'
        '<button id="theme" type="button">Light or dark</button></div>'
        f'<p class="soft">{escape(subtitle)}</p><nav aria-label="Sections">{links}</nav></header>\n'
        f'<main id="main" class="wide">{body}</main>\n<footer class="wide">{escape(footer)}</footer>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
