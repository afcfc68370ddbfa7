"""What every live camera keeps: the newest picture, and how often and how long it was lost."""

from __future__ import annotations

from livefacs.clock import NS_PER_S
from livefacs.slot import Slot
from livefacs.types import Frame


class LiveCamera:
    """Pictures that come by themselves, of which the newest wins; base of what opens them.

    Attributes
    ----------
    n_damaged, n_losses : int
        Pictures that could not be decoded; times the camera was lost.
    lost_ns : int
        Nanoseconds without it in all, up to its last return.
    """

    is_live = True
    n_frames: int | None = None
    timecode: str | None = None
    start_ns = 0

    def __init__(self) -> None:
        self.n_damaged = self.n_losses = self.lost_ns = 0
        self._lost_since_ns: int | None = None
        self._i_frame = 0
        self._slot: Slot[Frame] = Slot()
        self._failure: BaseException | None = None

    @property
    def n_dropped(self) -> int:
        """Pictures that a newer one overtook before they were read."""
        return self._slot.overwritten

    @property
    def is_lost(self) -> bool:
        """True while pictures stay away that came before."""
        return self._lost_since_ns is not None

    @property
    def ended(self) -> bool:
        """True once closed, and when the camera is gone for good."""
        return self._slot.closed

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest picture that was not read yet; None when none came in time, or once closed."""
        raise NotImplementedError

    def read(self) -> Frame | None:
        """The newest picture that was not read yet, however long it takes; None once closed."""
        return self.newest()

    def _begin_loss(self, t_ns: int) -> bool:
        """Count a loss; False while one lasts."""
        if self._lost_since_ns is not None:
            return False
        self._lost_since_ns = t_ns
        self.n_losses += 1
        return True

    def _end_loss(self, t_ns: int) -> int | None:
        """Nanoseconds for which it was away; None where it was not."""
        if self._lost_since_ns is None:
            return None
        away_ns = max(0, t_ns - self._lost_since_ns)
        self.lost_ns += away_ns
        self._lost_since_ns = None
        return away_ns

    def _loss_notices(self, name: str) -> list[str]:
        """What a user should be told at the end of losses and damaged pictures."""
        notices = []
        if self.n_losses:
            state = " and was away at the end" if self.is_lost else ""
            notices.append(
                f"{name} was lost {self.n_losses} time(s), "
                f"{self.lost_ns / NS_PER_S:.1f} s in all{state}"
            )
        if self.n_damaged:
            notices.append(f"{name}: {self.n_damaged} damaged picture(s) were skipped")
        return notices
