"""Labelled data for ``train`` and ``evaluate``: rendered files, labelled clips and takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from livefacs.errors import ConfigError
from livefacs.offline import Meshes, SolveOptions, is_take, working_take
from livefacs.training.coded import CODES_FILE, CodedClip, coded_clip, read_codes
from livefacs.training.dataset import Subject, load_folder
from livefacs.training.labels import labelled_subject, read_labels

_CLIPS: Final = (".mp4", ".mov", ".mkv", ".avi", ".webm")


def load_data(paths: Sequence[Path]) -> list[Subject]:
    """Subjects below files and folders.

    A rendered identity is an ``id*.npz``; a labelled clip or take is a ``NAME.csv`` beside
    ``NAME.mp4`` or the take ``NAME``.

    Raises
    ------
    ConfigError
        A path does not exist or holds no labelled data.
    """
    subjects: list[Subject] = []
    for path in paths:
        if path.suffix == ".json" or (path.is_dir() and any(path.rglob(CODES_FILE))):
            continue  # coded people, see ``load_coded``
        if not path.exists():
            raise ConfigError(f"no data at {path}: give a folder or file of labelled sequences")
        found = _below(path)
        if not found:
            raise ConfigError(
                f"no labelled data at {path}: expected id*.npz, or NAME.csv beside a clip or take"
            )
        subjects += found
    return subjects


def load_coded(paths: Sequence[Path]) -> list[CodedClip]:
    """People coded by eye: clips that a ``codes.json`` in these folders, or a file named, codes.

    Raises
    ------
    ConfigError
        A file does not code clips, or a clip that it codes is not beside it.
    """
    files = [
        file
        for path in paths
        for file in ([path] if path.suffix == ".json" else sorted(path.rglob(CODES_FILE)))
    ]
    return [clip for file in files for clip in _coded(file)]


def _coded(file: Path) -> Iterator[CodedClip]:
    codes = read_codes(file)
    for name in codes["clips"]:
        found = [file.parent / f"{name}{suffix}" for suffix in _CLIPS]
        media = next((path for path in found if path.is_file()), None)
        if media is None:
            raise ConfigError(f"{file} codes {name}, but there is no {name}.mp4 beside it")
        with working_take(str(media), SolveOptions()) as working:
            meshes = Meshes.of_take(working.take).copied()
        yield coded_clip(codes, name, meshes)


def _below(path: Path) -> list[Subject]:
    if path.suffix == ".npz":
        return load_folder(path)
    if path.suffix == ".csv":
        return _labelled(path)
    subjects = load_folder(path) if next(path.rglob("id*.npz"), None) else []
    for labels in sorted(path.rglob("*.csv")):
        subjects += _labelled(labels)
    return subjects


def _labelled(labels: Path) -> list[Subject]:
    stem = labels.with_suffix("")
    clips = [stem.with_suffix(suffix) for suffix in _CLIPS if stem.with_suffix(suffix).is_file()]
    media = stem if is_take(str(stem)) else next(iter(clips), None)
    if media is None:
        return []
    truth = read_labels(labels)
    with working_take(str(media), SolveOptions()) as working:
        return [labelled_subject(labels.stem, Meshes.of_take(working.take), truth)]
