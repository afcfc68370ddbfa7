"""A PulseAudio of its own with a null sink: what plays into it, ``--audio auto`` hears."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.waiting import PATIENCE_S, wait_until

_ALSA = Path("/usr/share/alsa/alsa.conf")
_PLUGINS = Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")
MISSING = [
    what
    for what, is_there in (
        ("sounddevice", importlib.util.find_spec("sounddevice") is not None),
        ("pulseaudio", shutil.which("pulseaudio") is not None),
        ("paplay and pactl", shutil.which("paplay") and shutil.which("pactl")),
        ("ALSA's plug-in for PulseAudio", _ALSA.is_file() and any(_PLUGINS)),
    )
    if not is_there
]


@contextlib.contextmanager
def null_sink(folder: Path) -> Iterator[dict[str, str] | None]:
    """Environment of programs that hear and play through it; None where none runs (``log``)."""
    alsa = folder / "alsa.conf"
    alsa.write_text(f"<{_ALSA}>\npcm.!default {{ type pulse }}\nctl.!default {{ type pulse }}\n")
    socket = folder / "native"
    environment = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(folder),
        "ALSA_CONFIG_PATH": str(alsa),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_COOKIE": str(folder / "cookie"),
    }
    modules = (
        "module-null-sink sink_name=null0 rate=48000",
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
    )
    words = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*words, *(word for each in modules for word in ("-L", each))],
            env={**environment, "HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
        try:

            def answers() -> bool:
                asked = subprocess.run(
                    ["pactl", "info"], env=environment, capture_output=True, check=False
                )
                return asked.returncode == 0 or server.poll() is not None

            wait_until(answers, "PulseAudio")
            yield environment if server.poll() is None else None
        finally:
            server.terminate()
            server.wait(PATIENCE_S)
