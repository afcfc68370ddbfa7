"""A word to whoever waits for the kernels to be compiled."""

from __future__ import annotations

import typer


def say_if_compiling() -> None:
    """Tell on standard error that the first run takes longer, where this is the first."""
    from livefacs.session.parts import first_run_notice

    if notice := first_run_notice():
        typer.echo(notice, err=True)
