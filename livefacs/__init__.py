"""Real-time facial action capture: camera frames to FACS Action Units to animation rigs.

``livefacs.solve`` solves a clip, ``livefacs.Take`` reads a recording, ``livefacs.open_session``
runs live, ``livefacs.load_rig`` loads a retargeting map. Each is loaded when it is first named:
the import itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from livefacs.api import Profile, Retargeter, Take, load_rig, open_session, solve

__version__: Final = "0.1.0"

__all__ = [
    "Profile",
    "Retargeter",
    "Take",
    "__version__",
    "load_rig",
    "open_session",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'livefacs' has no attribute {name!r}")
    from livefacs import api

    value = getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
