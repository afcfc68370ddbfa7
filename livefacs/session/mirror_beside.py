"""The practice mirror beside a session: its feed among the watchers, its puppets' rigs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from livefacs.au.estimator import Estimator
from livefacs.mirror.core import MirrorHooks, MirrorOptions
from livefacs.mirror.guided_rounds import Subject
from livefacs.mirror.puppet_pose import PUPPET_RIGS
from livefacs.mirror.server import Mirror
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.runner import Session
from livefacs.session.stage_host import SessionStage


def puppets() -> list[Retargeter]:
    """Retargeters of the two characters in the page."""
    return [Retargeter(load_rig(name)) for name in PUPPET_RIGS]


def attach_mirror(
    mirror: Mirror,
    session: Session,
    take_folder: Path | None = None,
    profile: str | None = None,
    face: int = 1,
) -> SessionStage:
    """Show a session, which has to keep its images, in the mirror's and the stage's pages.

    ``profile`` is the name or path of the one in use, ``face`` the performer that is shown.

    Raises
    ------
    ConfigError
        The session tracks no such performer.
    """
    session.tracker.check_face(face)
    mirror.feed.face = face

    def on_sweep(url: str, name: str) -> None:
        mirror.stage.tell("sweep", {"url": url, "name": name})

    host = SessionStage(session, on_sweep, take_folder)
    mirror.stage.attach(host, session)
    session.watchers += [mirror.feed, mirror.guidance]
    estimator, source = session.tracker.performers[face - 1].estimator, session.source
    maxima: tuple[str, ...] = ()
    if isinstance(estimator, Estimator):
        maxima = tuple(estimator.profile.maxima) if estimator.profile else ()
        backend = session.tracker.landmarker.name
        subject = Subject(estimator.model, backend, source.description, profile or "")
        mirror.guidance.attach(subject)
    mirror.attach(session, source.description, maxima, " ".join(source.notices))
    return host


def open_mirror_beside(
    session: Session,
    port: int,
    notify: Callable[[str], None],
    take_folder: Path | None = None,
    profile: str | None = None,
    face: int = 1,
) -> Mirror:
    """A mirror beside a session that runs anyway; the session closes it.

    Raises
    ------
    SinkError
        The port is taken.
    ConfigError
        The session tracks no such performer.
    """
    mirror = Mirror(MirrorOptions(port=port), MirrorHooks(control=session), puppets=puppets())
    session.on_close("mirror", mirror.stop)
    mirror.start()
    attach_mirror(mirror, session, take_folder, profile, face)
    notify(f"mirror: {mirror.url}")
    notify(f"stage: {mirror.stage_url}")
    return mirror
