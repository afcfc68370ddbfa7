"""Broadcast Wave: as others read it, beyond 4 GB, and after a kill."""

from __future__ import annotations

import os
import shutil
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.errors import TakeError
from livefacs.take.wave import (
    HEADER_BYTES,
    Broadcast,
    WaveWriter,
    header,
    mend_header,
    pcm_from_samples,
    read_info,
    read_samples,
    samples_from_pcm,
)

ABOUT = Broadcast("Sc4 take 7: ré", "2026-05-03", "10:00:00", 10 * 3600 * 48_000 + (5 << 32))


def ramp(n: int, n_channels: int) -> np.ndarray:
    return np.linspace(-1, 1, n * n_channels, dtype=np.float32).reshape(n, n_channels)


def written(path: Path, n: int = 1001, n_channels: int = 2) -> Path:
    writer = WaveWriter(path, n_channels, ABOUT)
    writer.append(ramp(n, n_channels)[: n // 2])
    writer.append(ramp(n, n_channels)[n // 2 :])
    writer.close()
    return path


@pytest.mark.parametrize("n_channels", [1, 2, 6])
def test_other_readers_see_the_same_samples_and_time(tmp_path: Path, n_channels: int) -> None:
    path = written(tmp_path / "a.wav", n_channels=n_channels)
    with wave.open(str(path)) as plain:
        assert (plain.getnchannels(), plain.getsampwidth()) == (n_channels, 3)
        assert (plain.getframerate(), plain.getnframes()) == (48_000, 1001)
        octets = np.frombuffer(plain.readframes(1001), np.uint8).reshape(-1, 3).astype(np.int32)
    values = octets[:, 0] | octets[:, 1] << 8 | octets[:, 2] << 16
    values = np.where(values >= 1 << 23, values - (1 << 24), values)
    expected = np.rint(ramp(1001, n_channels).reshape(-1).astype(float) * 2**23)
    assert np.abs(values - expected).max() <= 1
    with av.open(str(path)) as other:
        assert int(other.metadata["time_reference"]) == ABOUT.time_reference
        assert other.metadata["comment"] == "Sc4 take 7: r?"
        assert (other.metadata["date"], other.metadata["creation_time"]) == (
            "2026-05-03",
            "10:00:00",
        )
        assert other.streams.audio[0].codec_context.name == "pcm_s24le"
    info = read_info(path)
    assert (info.n_samples, info.n_told, info.time_reference) == (1001, 1001, ABOUT.time_reference)
    back = read_samples(path, info, 100, 50)
    assert np.abs(back - ramp(1001, n_channels)[100:150]).max() < 2e-7


def test_full_scale_is_clipped_and_comes_back() -> None:
    samples = np.array([[-2.0], [-1.0], [0.0], [1.0], [3.0]], np.float32)
    back = samples_from_pcm(pcm_from_samples(samples), 1)
    assert back[:, 0].tolist() == [-1.0, -1.0, 0.0, 1 - 2**-23, 1 - 2**-23]
    assert pcm_from_samples(back) == pcm_from_samples(samples)


def test_beyond_four_gigabytes_it_is_an_rf64_that_others_read(tmp_path: Path) -> None:
    n_data = 6 * 800_000_000
    path = tmp_path / "long.wav"
    path.write_bytes(header(2, n_data, ABOUT))
    os.truncate(path, HEADER_BYTES + n_data)  # a hole: it costs nothing
    with path.open("rb") as file:
        assert file.read(4) == b"RF64"
    assert read_info(path).n_told == 800_000_000
    with av.open(str(path)) as other:
        assert other.duration / av.time_base == pytest.approx(800_000_000 / 48_000, abs=0.01)
    assert len(header(2, 0, ABOUT)) == len(header(2, n_data, ABOUT)) == HEADER_BYTES


def test_a_writer_grows_over_four_gigabytes_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livefacs.take.wave._MOST_RIFF_BYTES", 4000)
    path = written(tmp_path / "a.wav")
    assert path.read_bytes()[:4] == b"RF64"
    assert read_info(path).n_told == 1001
    with av.open(str(path)) as other:
        assert sum(frame.samples for frame in other.decode(audio=0)) == 1001


@pytest.mark.parametrize("n_torn", [0, 1, 4])
def test_a_header_that_tells_too_little_is_mended(tmp_path: Path, n_torn: int) -> None:
    path = tmp_path / "killed.wav"
    writer = WaveWriter(tmp_path / "a.wav", 2, Broadcast())
    writer.append(ramp(700, 2))
    shutil.copy(tmp_path / "a.wav", path)  # what a kill leaves: no header tells of them
    writer.close()
    with path.open("ab") as file:
        file.write(b"x" * n_torn)
    assert (read_info(path).n_samples, read_info(path).n_told) == (700, 0)
    assert mend_header(path, ABOUT) == 700
    assert path.stat().st_size == HEADER_BYTES + 700 * 6
    with wave.open(str(path)) as plain:
        assert plain.getnframes() == 700
    assert read_info(path).time_reference == ABOUT.time_reference
    assert mend_header(path, ABOUT) == 0


def test_an_odd_number_of_bytes_is_padded(tmp_path: Path) -> None:
    path = written(tmp_path / "odd.wav", n=3, n_channels=1)
    assert path.stat().st_size == HEADER_BYTES + 10
    assert read_info(path).n_samples == 3


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\0\0\0\0", b"x" * 900]
)
def test_what_is_no_wav_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(content)
    with pytest.raises(TakeError, match="expected a WAV file of PCM"):
        read_info(path)


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.wav"
    with wave.open(str(path), "wb") as other:
        other.setnchannels(1)
        other.setsampwidth(2)
        other.setframerate(48_000)
        other.writeframes(b"ab" * 100)
    before = path.read_bytes()
    with pytest.raises(TakeError, match="not written by livefacs"):
        mend_header(path, ABOUT)
    assert path.read_bytes() == before
