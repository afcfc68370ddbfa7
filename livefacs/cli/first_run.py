"""A word to whoever waits for the kernels to be compiled."""

from __future__ import annotations

from livefacs.cli.terminal import say


def say_if_compiling() -> None:
    """Tell on standard error that the first run takes longer, where this is the first."""
    from livefacs.session.parts import first_run_notice

    if notice := first_run_notice():
        say(notice, err=True)
