"""Debian's libltc through ctypes: another hand's encoder and decoder of linear timecode."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

import numpy as np
import pytest


class _Time(ctypes.Structure):
    _fields_ = (
        ("timezone", ctypes.c_char * 6),
        *((name, ctypes.c_ubyte) for name in ("years", "months", "days")),
        *((name, ctypes.c_ubyte) for name in ("hours", "mins", "secs", "frame")),
    )


class _Frame(ctypes.Structure):
    _fields_ = (
        ("ltc", ctypes.c_ubyte * 10),
        ("off_start", ctypes.c_longlong),
        ("off_end", ctypes.c_longlong),
        ("reverse", ctypes.c_int),
        ("biphase_tics", ctypes.c_float * 80),
        ("sample_min", ctypes.c_ubyte),
        ("sample_max", ctypes.c_ubyte),
        ("volume", ctypes.c_double),
    )


def _library() -> Any:
    name = ctypes.util.find_library("ltc")
    if name is None:
        pytest.skip("libltc is not installed (Debian: libltc11)")
    library = ctypes.CDLL(name)
    library.ltc_encoder_create.restype = ctypes.c_void_p
    library.ltc_decoder_create.restype = ctypes.c_void_p
    return library


def encoded(label: str, fps: float, n_frames: int, sample_rate_hz: int) -> np.ndarray:
    """(n,) float32 audio of frames from a label on, as libltc writes it."""
    library = _library()
    standard = 1 if fps == 25 else 3 if round(fps) == 24 else 0
    encoder = ctypes.c_void_p(
        library.ltc_encoder_create(
            ctypes.c_double(sample_rate_hz), ctypes.c_double(fps), standard, 0
        )
    )
    hours, mins, secs, frame = (int(label[begin : begin + 2]) for begin in (0, 3, 6, 9))
    time = _Time(hours=hours, mins=mins, secs=secs, frame=frame)
    library.ltc_encoder_set_timecode(encoder, ctypes.byref(time))
    blocks = []
    for _ in range(n_frames):
        library.ltc_encoder_encode_frame(encoder)
        samples = ctypes.POINTER(ctypes.c_ubyte)()
        n_samples = library.ltc_encoder_get_bufferptr(encoder, ctypes.byref(samples), 1)
        blocks.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        library.ltc_encoder_inc_timecode(encoder)
    library.ltc_encoder_free(encoder)
    return (np.concatenate(blocks).astype(np.float32) - 128.0) / 127.0


def decoded(audio: np.ndarray, samples_a_frame: float) -> list[tuple[str, int]]:
    """Label and first sample of every frame that libltc hears."""
    library = _library()
    decoder = ctypes.c_void_p(library.ltc_decoder_create(int(samples_a_frame), 4096))
    block = np.clip(audio * 127.0 + 128.0, 0, 255).astype(np.uint8)
    library.ltc_decoder_write(
        decoder,
        block.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(len(block)),
        ctypes.c_longlong(0),
    )
    found, frame, time = [], _Frame(), _Time()
    while library.ltc_decoder_read(decoder, ctypes.byref(frame)):
        library.ltc_frame_to_time(ctypes.byref(time), ctypes.byref(frame), 0)
        label = f"{time.hours:02}:{time.mins:02}:{time.secs:02}:{time.frame:02}"
        found.append((label, int(frame.off_start)))
    library.ltc_decoder_free(decoder)
    return found
