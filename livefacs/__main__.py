"""``python -m livefacs``, and the command ``livefacs``: signals first, then what takes long."""

from __future__ import annotations

from livefacs.cli.signals import done, ended_at_once


def main() -> None:
    """Run the command line, whose modules are imported here, and exit as it does."""
    with ended_at_once():
        from livefacs.cli.main import main as run
    try:
        run()
    finally:
        done()


if __name__ == "__main__":
    main()
