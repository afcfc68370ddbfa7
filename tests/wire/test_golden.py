"""Every encoder still writes the bytes that were checked."""

from __future__ import annotations

import pytest

from tests.wire.golden import FOLDER, encoders, framed, golden_frame


@pytest.mark.parametrize("name", list(encoders()))
def test_bytes_are_those_of_the_golden_packet(name: str) -> None:
    encoder = encoders()[name]
    encoder.encode(golden_frame())
    assert framed(encoder.encode(golden_frame())) == (FOLDER / f"{name}.bin").read_bytes()


def test_no_golden_packet_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.bin")} == set(encoders())
