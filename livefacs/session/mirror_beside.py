"""The practice mirror beside a session: its feed among the watchers, its puppets' rigs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from livefacs.au.estimator import Estimator
from livefacs.mirror.core import MirrorHooks, MirrorOptions
from livefacs.mirror.server import Mirror
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.runner import Session

PUPPET_RIGS: Final = ("arkit52", "marmoset")


def puppets() -> list[Retargeter]:
    """Retargeters of the two characters in the page."""
    return [Retargeter(load_rig(name)) for name in PUPPET_RIGS]


def attach_mirror(mirror: Mirror, session: Session) -> None:
    """Show a session, which has to keep its images, in the mirror's pages."""
    session.watchers.append(mirror.feed)
    estimator = session.tracker.estimator
    profile = estimator.profile if isinstance(estimator, Estimator) else None
    source = session.source
    maxima = tuple(profile.maxima) if profile else ()
    mirror.attach(session, source.description, maxima, " ".join(source.notices))


def open_mirror_beside(session: Session, port: int, notify: Callable[[str], None]) -> Mirror:
    """A mirror beside a session that runs anyway; the session closes it.

    Raises
    ------
    SinkError
        The port is taken.
    """
    mirror = Mirror(MirrorOptions(port=port), MirrorHooks(control=session), puppets=puppets())
    session.on_close("mirror", mirror.stop)
    mirror.start()
    attach_mirror(mirror, session)
    notify(f"mirror: {mirror.url}")
    return mirror
