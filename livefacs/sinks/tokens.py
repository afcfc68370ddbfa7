"""Access tokens that other programs gave, in the user's folder."""

from __future__ import annotations

import json
from pathlib import Path

from livefacs.files.atomic import make_folder, write_text
from livefacs.resources import user_data_folder


class TokenStore:
    """Tokens by the address of the program that gave them.

    A file that cannot be read counts as empty; one that cannot be written costs the user one more
    click next time, so neither stops a session.

    Parameters
    ----------
    path : Path or None
        Default: ``tokens.json`` in the user's folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or user_data_folder() / "tokens.json"

    def get(self, address: str) -> str | None:
        """The token for an address, or None."""
        return self._all().get(address)

    def put(self, address: str, token: str | None) -> bool:
        """Keep a token; None forgets it. False where the folder cannot be written."""
        tokens = self._all()
        tokens.pop(address, None)
        if token is not None:
            tokens[address] = token
        try:
            make_folder(self._path.parent)
            write_text(self._path, json.dumps(tokens, indent=1), private=True)
        except OSError:
            return False
        return True

    def _all(self) -> dict[str, str]:
        try:
            tokens = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(tokens, dict):
            return {}
        return {key: value for key, value in tokens.items() if isinstance(value, str)}
