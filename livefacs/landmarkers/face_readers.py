"""A landmarker that also reads the face: wrinkles, texture and the blendshape net."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from livefacs.au.estimator import ReaderChoice
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.image_reader import ImageReader
from livefacs.landmarkers.backends import has_litert
from livefacs.protocols import Landmarker
from livefacs.types import Frame, Landmarks, Readings
from livefacs.vocab.readings import N_BLENDSHAPES

if TYPE_CHECKING:
    from livefacs.landmarkers.blendshapes import BlendshapeNetwork

_NO_BLENDSHAPES: Final = np.full(N_BLENDSHAPES, np.nan, np.float32)
_NO_BLENDSHAPES.setflags(write=False)


class FaceReaders:
    """What is read of one face besides its mesh; no state, used by one thread at a time.

    Parameters
    ----------
    image_reader : ImageReader
    blendshapes : BlendshapeNetwork or None
        None: its readings stay NaN.
    """

    def __init__(self, image_reader: ImageReader, blendshapes: BlendshapeNetwork | None) -> None:
        self._image_reader = image_reader
        self._blendshapes = blendshapes

    @classmethod
    def open(cls, model: EstimatorModel) -> FaceReaders:
        """Readers of a model's faces."""
        return cls(ImageReader(model), _blendshape_network())

    def read(self, frame: Frame, landmarks: Landmarks) -> Landmarks:
        """The mesh with its readings."""
        patches, texture = self._image_reader.read(frame.image, landmarks)
        scores = _NO_BLENDSHAPES
        if self._blendshapes is not None:
            scores = self._blendshapes.scores(landmarks.points_px).copy()
        return replace(landmarks, readings=Readings(patches, texture, scores))


class ReadingLandmarker:
    """Puts ``readings`` beside the mesh of another landmarker.

    Recorded meshes pass as they are: their images are black.

    Parameters
    ----------
    finder : Landmarker
        Closed with this one.
    readers : FaceReaders
    """

    def __init__(self, finder: Landmarker, readers: FaceReaders) -> None:
        self.name = finder.name
        self.description = finder.description
        self._finder = finder
        self._readers = readers

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh and what is read of the face besides; None where there is no face."""
        return self.read(frame, self.find(frame))

    def find(self, frame: Frame) -> Landmarks | None:
        """The mesh alone."""
        return self._finder.detect(frame)

    def read(self, frame: Frame, landmarks: Landmarks | None) -> Landmarks | None:
        """What ``find`` gave, with the readings. May run in a thread beside the next ``find``."""
        if landmarks is None or frame.landmarks is not None:
            return landmarks
        return self._readers.read(frame, landmarks)

    def close(self) -> None:
        """Free the other landmarker."""
        self._finder.close()


def with_readers(finder: Landmarker, reader: ReaderChoice, model: EstimatorModel) -> Landmarker:
    """The landmarker with the readers that were asked for; ``geometry``: none but the mesh."""
    if reader == "geometry":
        return finder
    return ReadingLandmarker(finder, FaceReaders.open(model))


def _blendshape_network() -> BlendshapeNetwork | None:
    """None where nothing runs it, as with MediaPipe's Tasks backend alone."""
    if not has_litert():
        return None
    from livefacs.landmarkers.blendshapes import BlendshapeNetwork

    return BlendshapeNetwork()
