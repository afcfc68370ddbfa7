"""``livefacs listen`` and ``livefacs probe``, as a user runs them."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from livefacs.cli.listen import app as listen_app
from livefacs.cli.probe import app as probe_app
from livefacs.errors import ConfigError, SinkError
from tests.sinks.doubles import udp_receiver
from tests.wire.making import LIVELINK

RUNNER = CliRunner()


def unused() -> int:
    with udp_receiver() as held:
        return int(held.getsockname()[1])


def test_probe_sweeps_a_rig_and_listen_sees_it() -> None:
    port = unused()
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "livefacs.cli.main",
            "listen",
            f"livelink://127.0.0.1:{port}",
            "--moving",
            "--no-meters",
            "--seconds",
            "15",
            "--packets",
            "15",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as listening:
        assert listening.stdout is not None
        assert "listening to livelink packets" in listening.stdout.readline()
        result = RUNNER.invoke(
            probe_app, [f"livelink://127.0.0.1:{port}", "--only", "JawOpen", "--seconds", "0.5"]
        )
        shown = listening.stdout.read()
        assert listening.wait() == 0
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "livelink61  JawOpen"
    assert f"livelink://127.0.0.1:{port}: 1" in result.output
    assert "15 packets" in shown
    assert "JawOpen" in shown
    assert "MouthClose" not in shown
    assert "JawOpen" in LIVELINK.controls


def test_probe_reaches_several_destinations_and_rests_at_the_end() -> None:
    with udp_receiver() as one, udp_receiver() as two:
        urls = [
            f"osc://127.0.0.1:{one.getsockname()[1]}",
            f"vmc://127.0.0.1:{two.getsockname()[1]}?rig=vrm0",
        ]
        result = RUNNER.invoke(
            probe_app, [*urls, "--only", "AU12", "--only", "head yaw", "--seconds", "0.05"]
        )
        assert result.exit_code == 0, result.output
        assert result.output.splitlines()[:3] == ["AU12_L", "AU12_R", "head yaw"]
        for receiver in (one, two):
            assert last_of(receiver)


def last_of(receiver: socket.socket) -> bytes:
    receiver.setblocking(False)
    last = b""
    while True:
        try:
            last = receiver.recv(4096)
        except BlockingIOError:
            return last


def test_a_name_that_no_control_has_is_explained() -> None:
    result = RUNNER.invoke(probe_app, ["osc://127.0.0.1:9", "--only", "nonsense"])
    assert isinstance(result.exception, ConfigError)
    assert "no control contains nonsense: expected one such as AU1_L" in str(result.exception)


def test_a_destination_without_controls_is_explained() -> None:
    result = RUNNER.invoke(probe_app, ["faceosc://127.0.0.1"])
    assert isinstance(result.exception, ConfigError)
    assert "livefacs demo --to faceosc" in str(result.exception)


def test_listen_says_that_nothing_came() -> None:
    result = RUNNER.invoke(listen_app, [f"osc://127.0.0.1:{unused()}", "--seconds", "0.05"])
    assert isinstance(result.exception, SinkError)
    assert "nothing arrived" in str(result.exception)


@pytest.mark.parametrize("app", [listen_app, probe_app])
def test_a_malformed_url_is_explained(app: object) -> None:
    result = RUNNER.invoke(app, ["osc:/127.0.0.1"])  # type: ignore[arg-type]
    assert isinstance(result.exception, SinkError)
