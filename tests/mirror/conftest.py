"""A mirror on a free port, and frames to feed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from livefacs.mirror.core import MirrorOptions
from livefacs.mirror.server import Mirror
from livefacs.types import (
    ActionUnits,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    TrackedFrame,
)
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FrameMaker = Callable[..., TrackedFrame]


def make_frame(i_frame: int = 0, t_s: float | None = None, **levels: float) -> TrackedFrame:
    """A frame with the given channels; the image is a quiet grey."""
    intensity = np.zeros(N_AU, np.float32)
    for channel, level in levels.items():
        intensity[CHANNEL_INDEX[channel]] = level
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.linspace(200, 440, 478)
    points[:, 1] = np.linspace(100, 380, 478)
    points[33, :2], points[263, :2] = (240, 200), (400, 200)
    t_ns = round((i_frame / 30 if t_s is None else t_s) * 1e9)
    return TrackedFrame(
        i_frame=i_frame,
        t_ns=t_ns,
        health=Health.OK,
        image_size=(640, 480),
        landmarks=Landmarks(points, t_ns, i_frame, (640, 480)),
        head=HeadPose(),
        gaze=Gaze(),
        units=ActionUnits(intensity, intensity, np.ones(N_AU, np.float32)),
        stage_ns={"total": 5_000_000},
        image=np.full((480, 640, 3), 128, np.uint8),
    )


def without_face(frame: TrackedFrame) -> TrackedFrame:
    """The same moment with nobody there."""
    return replace(frame, landmarks=None, health=Health.NO_FACE)


@pytest.fixture
def start_mirror(tmp_path: Path) -> Iterator[Callable[..., Mirror]]:
    """Starts mirrors with options; all are stopped at the end."""
    running: list[Mirror] = []

    def start(**options: Any) -> Mirror:
        settings = {"port": 0, "progress_path": tmp_path / "progress.sqlite", **options}
        mirror = Mirror(MirrorOptions(**settings))
        running.append(mirror)
        mirror.start()
        return mirror

    yield start
    for mirror in running:
        mirror.stop()


@pytest.fixture
def mirror(start_mirror: Callable[..., Mirror]) -> Mirror:
    """A running mirror on loopback."""
    return start_mirror()


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    """Flags of every browser of a module, which may have its own."""
    return ()


@pytest.fixture(scope="module")
def open_browser(
    tmp_path_factory: pytest.TempPathFactory, browser_flags: tuple[str, ...]
) -> Iterator[Callable[..., Chrome]]:
    """Opens browsers, with more flags where they are given; all are closed at the end."""
    from tests.mirror.test_browser import start_chromium  # selenium, which few tests need

    drivers: list[Chrome] = []

    def start(*flags: str) -> Chrome:
        folder = tmp_path_factory.mktemp("chromium")
        drivers.append(start_chromium(folder, *browser_flags, *flags))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.quit()


@pytest.fixture(scope="module")
def browser(open_browser: Callable[..., Chrome]) -> Chrome:
    """The browser of a module's tests."""
    return open_browser()
