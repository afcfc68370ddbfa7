"""Golden packets: one frame as each encoder writes it, kept in ``tests/data/packets``.

A change of bytes must be meant: write the files anew with ``python -m tests.wire.golden`` and say
in the changelog what receivers will notice. Each file holds the datagrams of one frame, every one
after its length as big-endian uint32.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from livefacs.protocols import Encoder
from livefacs.types import TrackedFrame
from livefacs.wire.facecap import FaceCapEncoder
from livefacs.wire.faceosc import FaceOscEncoder
from livefacs.wire.ifacialmocap import IFacialMocapEncoder
from livefacs.wire.livelink import LiveLinkEncoder
from livefacs.wire.openseeface import OpenSeeFaceEncoder
from livefacs.wire.osc import OscEncoder
from livefacs.wire.packed import PackedEncoder
from livefacs.wire.vmc import VmcEncoder
from livefacs.wire.vrcft import VrcftEncoder
from livefacs.wire.vts import VtsEncoder
from livefacs.wire.vtsphone import VtsPhoneEncoder
from tests.wire.making import ARKIT, CLOCK, LIVELINK, make_frame, make_landmarks, make_rig

FOLDER = Path(__file__).parents[1] / "data" / "packets"
UNIFIED = ("EyeOpenLeft", "EyeOpenRight", "EyeLeftX", "EyeRightX", "JawOpen", "JawLeft", "JawRight")


def golden_frame() -> TrackedFrame:
    """The frame of every golden packet; its rigs are given here, no map is involved."""
    unified = make_rig("vrcft2", UNIFIED, np.array([1.0, 0.5, -0.25, 0.25, 0.7, 0.0, 0.125]))
    vts = make_rig("vtubestudio", ("FaceAngleX", "MouthOpen"), np.array([-12.5, 0.25]))
    return make_frame(rigs=(ARKIT, LIVELINK, unified, vts), landmarks=make_landmarks())


def encoders() -> dict[str, Encoder]:
    """Every encoder and its variants, by file name."""
    return {
        "osc": OscEncoder(CLOCK),
        "osc_letters": OscEncoder(CLOCK, letters=True),
        "osc_array": OscEncoder(CLOCK, array=True, rig="arkit52"),
        "osc_unbundled": OscEncoder(CLOCK, bundle=False),
        "vmc": VmcEncoder(CLOCK, "arkit52"),
        "livelink": LiveLinkEncoder(
            CLOCK, "livelink61", device="D" * 36, subject="iPhone", utc_offset_s=0
        ),
        "livelink_29.97": LiveLinkEncoder(
            CLOCK, "livelink61", device="d" * 36, rate=Fraction(30000, 1001), utc_offset_s=3600
        ),
        "ifacialmocap_v1": IFacialMocapEncoder("arkit52"),
        "ifacialmocap_v2": IFacialMocapEncoder("arkit52", version=2),
        "vrcft": VrcftEncoder("vrcft2"),
        "vrcft_bits": VrcftEncoder("vrcft2", n_bits=4, eyes="native"),
        "faceosc": FaceOscEncoder(),
        "osf": OpenSeeFaceEncoder(CLOCK),
        "facecap": FaceCapEncoder("arkit52"),
        "vts": VtsEncoder("vtubestudio"),
        "vtsphone": VtsPhoneEncoder(CLOCK, "arkit52"),
        "zmq": PackedEncoder(CLOCK, rig="arkit52"),
        "ws_json": PackedEncoder(CLOCK, form="json"),
    }


def framed(datagrams: Sequence[bytes | bytearray | memoryview]) -> bytes:
    """Datagrams as one block, each after its length."""
    return b"".join(struct.pack(">I", len(datagram)) + datagram for datagram in datagrams)


def write_all() -> None:
    """Write every golden file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, encoder in encoders().items():
        (FOLDER / f"{name}.bin").write_bytes(framed(encoder.encode(golden_frame())))


if __name__ == "__main__":
    write_all()
