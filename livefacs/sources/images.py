"""Numbered pictures: a folder, a pattern or a single image, at a given rate."""

from __future__ import annotations

from pathlib import Path

from livefacs.arrays import U8
from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.sources.pictures import read_rgb
from livefacs.sources.sequence import frame_numbers, list_images, missing_in_words
from livefacs.types import Frame


class ImagesSource:
    """Images in natural order of their names (``2.png`` before ``10.png``).

    Where the names are numbered, the numbers give frames and times: a picture that is missing
    leaves its place empty. Otherwise they are evenly spaced. A picture that cannot be decoded is
    counted and passed over, as in a clip.

    Parameters
    ----------
    spec : str
        A folder, a pattern such as ``shots/*.png`` or ``shot.####.exr``, or one image file.
    rate_hz : float
        Frames per second.

    Attributes
    ----------
    n_damaged : int
        Pictures that could not be decoded so far; each leaves a gap in ``i_frame``.

    Raises
    ------
    SourceError
        No image is there, none can be decoded, or two have the same number.
    """

    is_live = False
    timecode: str | None = None
    start_ns = 0

    def __init__(self, spec: str, rate_hz: float) -> None:
        self.paths = list_images(spec)
        self.rate_hz = rate_hz
        self.n_frames: int | None = len(self.paths)
        numbers = frame_numbers(self.paths)
        self._numbers = numbers or list(range(len(self.paths)))
        self.notices: tuple[str, ...] = ()
        if numbers is None:
            self.notices = (
                f"{spec}: the names are no numbered sequence: taken in their order, one a frame",
            )
        elif missing := missing_in_words(numbers):
            self.notices = (f"{spec}: pictures are missing, their places stay empty: {missing}",)
        self._damaged: dict[Path, str] = {}
        height, width = self._first_image().shape[:2]
        self.description = f"{spec}, {self.n_frames} image(s), {width}×{height}, {rate_hz:.4g} fps"
        self._next = 0
        self._closed = False

    @property
    def n_damaged(self) -> int:
        """Pictures that could not be decoded so far."""
        return len(self._damaged)

    def read(self) -> Frame | None:
        """The next image that can be decoded, or None at the end or once closed."""
        while not self._closed and self._next < len(self.paths):
            index = self._next
            self._next += 1
            image = self._read(self.paths[index])
            if image is not None:
                i_frame = self._numbers[index] - self._numbers[0]
                return Frame(image, round(i_frame * NS_PER_S / self.rate_hz), i_frame)
        return None

    def rewind(self) -> None:
        """Begin again at the first image."""
        self._next = 0

    def close(self) -> None:
        """End; ``read`` returns None from now on."""
        self._closed = True

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end: pictures that were passed over."""
        if not self._damaged:
            return ()
        reason = next(iter(self._damaged.values()))
        return (f"{self.n_damaged} damaged picture(s) were skipped; {reason}",)

    def _first_image(self) -> U8:
        for path in self.paths:
            image = self._read(path)
            if image is not None:
                return image
        reason = next(iter(self._damaged.values()))
        if len(self.paths) == 1:
            raise SourceError(reason)
        raise SourceError(f"none of {len(self.paths)} pictures can be decoded; {reason}")

    def _read(self, path: Path) -> U8 | None:
        try:
            return read_rgb(path)
        except SourceError as error:
            self._damaged[path] = str(error)
            return None
