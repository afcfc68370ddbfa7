"""The exception tree. Each class carries the exit code that the command line ends with.

In a running session a lost face, a late frame or a refused datagram is a flag and a counter,
never an exception: what is raised here ends the session or refuses to start it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class LivefacsError(Exception):
    """Base of every error that a user can cause or mend; its text is one plain sentence."""

    exit_code: ClassVar[int] = 1


class ConfigError(LivefacsError):
    """A configuration, rig map, profile or option is wrong; holds every error that was found."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, errors: Iterable[str] = ()) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join((message, *(f"  {error}" for error in self.errors))))


class RigMapError(ConfigError):
    """A retargeting map does not say what the schema asks for."""


class ProfileError(ConfigError):
    """A person's profile cannot be used: damaged, of another version, or for another backend."""


class SourceError(LivefacsError):
    """Frames cannot be had: camera absent, clip unreadable, folder empty."""

    exit_code: ClassVar[int] = 3


class LandmarkerError(LivefacsError):
    """The landmark model, or the weights of the estimator, cannot be used."""

    exit_code: ClassVar[int] = 4


class SinkError(LivefacsError):
    """An output cannot be opened: malformed URL, port in use, unresolvable host."""

    exit_code: ClassVar[int] = 5


class TakeError(LivefacsError):
    """A recorded take cannot be read or written."""

    exit_code: ClassVar[int] = 5
