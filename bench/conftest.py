"""The table of measured ratios, printed at the end of a bench run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.timing import Row, Table

_TABLE = Table()


@pytest.fixture(scope="session")
def table() -> Table:
    """Rows noted by the measurements."""
    return _TABLE


@pytest.fixture(scope="session")
def tasks_model() -> Path:
    """The Tasks model beside the checkout; skips where it is absent."""
    path = Path(__file__).parents[1] / ".." / "shared" / "models" / "face_landmarker.task"
    if not path.is_file():
        pytest.skip("no Tasks model beside this checkout (../shared/models)")
    return path.resolve()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _TABLE.rows:
        terminalreporter.section("measured")
        for row in _TABLE.rows:
            terminalreporter.write_line(_line(row))


def _line(row: Row) -> str:
    return f"{row.what:<66}{row.value:>10.3f} {row.unit:<4} {row.limit}"
