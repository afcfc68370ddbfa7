"""``livefacs ltc``: linear timecode written as sound, and read from it."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from livefacs.cli.terminal import say

if TYPE_CHECKING:
    from livefacs.wire.following import HeardFrame
    from livefacs.wire.ltc import LtcWriter

app = typer.Typer()

_LONGEST_S: Final = 24 * 3600.0
_BLOCK_FRAMES: Final = 30
_FULL_SCALE: Final = 32767.0


@app.command()
def write(
    output: Annotated[Path, typer.Argument(help="The WAV file.", show_default=False)],
    rate: Annotated[str, typer.Option(help="24, 25, 29.97DF, 30 …; 48 to 60 run at half.")] = "25",
    start: Annotated[str, typer.Option(help="First label, HH:MM:SS:FF.")] = "00:00:00:00",
    seconds: Annotated[float, typer.Option(help="Length.")] = 60.0,
    sample_rate: Annotated[int, typer.Option(help="Samples a second.")] = 48_000,
    level: Annotated[float, typer.Option(help="dB below full scale.")] = -12.0,
    user_bits: Annotated[str, typer.Option(help="Eight hexadecimal digits.")] = "0",
) -> None:
    """Write linear timecode to play into a recorder, or to test one."""
    import math

    from livefacs.errors import ConfigError, SinkError
    from livefacs.files.output import output as output_file
    from livefacs.timecode import find_rate
    from livefacs.wire.ltc import LtcWriter

    if not 0.0 < seconds <= _LONGEST_S:
        raise ConfigError(f"--seconds {seconds:g}: expected more than 0, at most a day (86400)")
    if not 8000 <= sample_rate <= 384_000:
        raise ConfigError(f"--sample-rate {sample_rate}: expected 8000 to 384000")
    if not -60.0 <= level <= 0.0:
        raise ConfigError(f"--level {level:g}: expected -60 to 0 dB")
    try:
        bits = int(user_bits, 16)
    except ValueError:
        raise ConfigError(
            f"--user-bits {user_bits!r}: expected up to eight hexadecimal digits"
        ) from None
    amplitude = 10.0 ** (level / 20.0)
    writer = LtcWriter(find_rate(rate), start, sample_rate, level=amplitude, user_bits=bits)
    n_frames = math.ceil(seconds * writer.rate.fraction)
    try:
        with output_file(output, suffix=".wav") as unfinished:
            _write_wave(unfinished, writer, n_frames, sample_rate)
    except OSError as error:
        raise SinkError(
            f"cannot write {output}: {error.strerror or error}; name another place"
        ) from None
    say(f"{output}: {n_frames} frames of timecode at {writer.rate.name} from {start}")


def _write_wave(path: Path, writer: LtcWriter, n_frames: int, sample_rate: int) -> None:
    with path.open("wb") as file, wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(sample_rate)
        for begin in range(0, n_frames, _BLOCK_FRAMES):
            samples = writer.write(min(_BLOCK_FRAMES, n_frames - begin))
            sound.writeframes((samples * _FULL_SCALE).round().astype("<i2").tobytes())


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="Clip or audio file.", show_default=False)],
    channel: Annotated[int, typer.Option(help="Channel that holds it, from 1.")] = 1,
    each: Annotated[bool, typer.Option("--each", help="Every frame, not only the parts.")] = False,
) -> None:
    """Show the linear timecode in a clip's or file's sound: each unbroken part of it."""
    from livefacs.errors import SourceError
    from livefacs.sources.audio import AudioFile
    from livefacs.wire.ltc import LtcReader

    with AudioFile(file, channel) as sound:
        reader = LtcReader(sound.sample_rate_hz)
        frames = [frame for block in sound.blocks() for frame in reader.read(block)]
        rate_hz, start_s = sound.sample_rate_hz, sound.start_s
    if not frames:
        raise SourceError(
            f"{file}: no linear timecode in channel {channel} of {sound.n_channels}; expected it"
            " at 24 to 30 frames a second, played forward at its own speed"
        )
    for part in [[frame] for frame in frames] if each else _parts(frames):
        say(_part_line(part, rate_hz, start_s))


def _parts(frames: list[HeardFrame]) -> list[list[HeardFrame]]:
    """Runs of frames that follow each other in time and count."""
    from livefacs.wire.following import follows

    parts = [[frames[0]]]
    for frame in frames[1:]:
        if follows(parts[-1][-1], frame):
            parts[-1].append(frame)
        else:
            parts.append([frame])
    return parts


def _part_line(part: list[HeardFrame], sample_rate_hz: int, start_s: float) -> str:
    first, last = part[0], part[-1]
    begin_s = start_s + first.start / sample_rate_hz
    if len(part) == 1:
        return f"{begin_s:10.4f} s  {first.label}"
    rate = (len(part) - 1) * sample_rate_hz / (last.start - first.start)
    return (
        f"{begin_s:10.4f} s  {first.label} to {last.label}  {len(part)} frames"
        f" at {rate:.3f} a second, user bits {first.user_bits:08x}"
    )
