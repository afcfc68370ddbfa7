"""The command line, run inside the test's process."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.cli.main import main


def run(*words: str | Path | float) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)
