"""Text of unknown origin, made fit for a terminal, a log or a document that is handed on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_KEPT: Final = "\n\t"
_HIDDEN: Final = "…"
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_SECRET: Final = re.compile(
    r"(?i)(?<=[?&;])([\w.-]*(?:pass|pwd|pas|token|secret|key|auth|sig|credential)[\w.-]*)=[^&;#\s]*"
)


def printable(text: str) -> str:
    """Text with everything that moves a cursor, hides or turns other text as visible escapes.

    Control characters (all of ANSI's sequences begin with one), marks that turn the direction of
    writing, lone surrogates and unassigned code points; line feed and tab stay.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    is_shown = char.isprintable() or char in _KEPT or unicodedata.category(char) == "Zs"
    return char if is_shown else char.encode("unicode_escape").decode()


def without_secrets(text: str) -> str:
    """Text with the passwords and keys of addresses in it hidden; the rest as it was."""
    if "://" not in text:
        return text
    return _ADDRESS.sub(lambda found: _address_without_secrets(found[0]), text)


def _address_without_secrets(address: str) -> str:
    scheme, _, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" not in authority and "@" in rest and not _is_host(authority):
        authority = rest[: rest.rindex("@") + 1]  # a password with a slash in it
    if "@" in authority:
        user, host = authority.rsplit("@", 1)
        name, colon, _ = user.partition(":")
        shown = f"{name}:{_HIDDEN}" if colon else _HIDDEN  # a name alone may be a token
        rest = f"{shown}@{host}{rest[len(authority) :]}"
    return _SECRET.sub(rf"\1={_HIDDEN}", f"{scheme}://{rest}")


def _is_host(authority: str) -> bool:
    """True for a host with a port or without; False for what can only be ``user:password``."""
    try:
        return urlsplit(f"//{authority}").port is not None or ":" not in authority
    except ValueError:
        return False


def plain_without_secrets(value: Any) -> Any:
    """Plain values (dicts, lists, texts, numbers) with the secrets of every text hidden."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {key: plain_without_secrets(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_without_secrets(each) for each in value]
    return value
