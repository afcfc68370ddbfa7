"""Files that a user names: a pipe or an endless device is refused at once, never waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from livefacs.au.estimator_model import load_model
from livefacs.au.prompts import load_prompts
from livefacs.errors import LivefacsError
from livefacs.files.table import read_table
from livefacs.sources.livelink_csv import LiveLinkCsvSource
from livefacs.training.coded import read_codes
from livefacs.training.labels import read_labels

READERS: dict[str, Callable[[Path], object]] = {
    "weights": load_model,
    "prompts": load_prompts,
    "codes": read_codes,
    "table": read_table,
    "labels": read_labels,
    "Live Link's CSV": LiveLinkCsvSource,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("what", ["a pipe", "a link to one", "/dev/zero", "a folder"])
def test_what_cannot_be_read_at_once_is_refused(name: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "named.csv"
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a link to one":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    elif what == "a folder":
        path.mkdir()
    else:
        path = Path(what)
    with pytest.raises(LivefacsError, match=str(path)):
        READERS[name](path)
