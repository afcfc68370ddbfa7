from __future__ import annotations

import threading

from livefacs.slot import Slot


def test_newest_item_wins_and_the_overwritten_are_counted() -> None:
    slot: Slot[int] = Slot()
    for item in range(5):
        slot.put(item)
    assert slot.get(0) == 4
    assert slot.overwritten == 4
    assert slot.get(0) is None


def test_an_item_may_be_none_without_being_nothing() -> None:
    slot: Slot[int | None] = Slot()
    slot.put(None)
    slot.put(3)
    assert slot.overwritten == 1


def test_get_waits_for_another_thread() -> None:
    slot: Slot[str] = Slot()
    threading.Timer(0.01, slot.put, ["late"]).start()
    assert slot.get(5) == "late"


def test_close_wakes_the_waiter_and_leaves_the_last_item() -> None:
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert (slot.get(), slot.get()) == (1, None)
    assert slot.closed
