"""``livefacs probe``: a slow sweep of every control, to test a rig without a face."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from livefacs.cli.terminal import say

if TYPE_CHECKING:
    from livefacs.protocols import Outputs
    from livefacs.sinks.destination import Destination
    from livefacs.sinks.probe_frames import Step, SweptRig

app = typer.Typer()


@app.command()
def probe(
    to: Annotated[
        list[str],
        typer.Argument(help="Destination URLs, as for --to: vmc://127.0.0.1:39539 …"),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option("--only", "-o", help="Only names that contain this; repeatable."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Time for each control.")] = 2.0,
    rate: Annotated[float, typer.Option(min=1.0, max=240.0, help="Frames a second.")] = 30.0,
    loop: Annotated[bool, typer.Option("--loop/--once", help="Start over until Ctrl-C.")] = False,
) -> None:
    """Move every control alone, slowly, from rest to its limits and back, and say its name."""
    from livefacs.clock import ClockMap, now_ns
    from livefacs.errors import ConfigError
    from livefacs.sinks.destination import parse_destination
    from livefacs.sinks.probe_frames import sweep_steps
    from livefacs.sinks.sink_from_destination import open_hub

    destinations = [parse_destination(url) for url in to]
    if any(each.scheme == "faceosc" for each in destinations):
        raise ConfigError(
            "faceosc carries distances between landmarks, which a sweep has none of; "
            "expected another destination, or `livefacs demo --to faceosc://…`"
        )
    destinations, rigs = _with_rigs(destinations)
    carries_units = any(each.scheme in ("osc", "zmq", "ws", "lsl") for each in destinations)
    steps = sweep_steps(rigs, units=carries_units)
    wanted = [step for step in steps if _is_wanted(step, only or ())]
    if not wanted:
        raise ConfigError(
            f"no control contains {' or '.join(only or ())}: expected one such as "
            + ", ".join(step.name for step in steps[:8])
        )
    hub = open_hub(destinations, ClockMap.read())
    start_ns, n_sent = now_ns(), 0
    try:
        n_sent = _run(wanted, rigs, hub, seconds, rate, start_ns, n_sent)
        while loop:
            n_sent = _run(wanted, rigs, hub, seconds, rate, start_ns, n_sent)
    except KeyboardInterrupt:
        pass
    finally:
        _rest(rigs, hub, start_ns)
        hub.close()
    _print_counters(hub)


def _print_counters(hub: Outputs) -> None:
    for url, counters in hub.counters.items():
        say(
            f"{url}: {counters.packets} packets, {counters.refused} refused"
            + (f" ({counters.last_error})" if counters.last_error else "")
        )


def _with_rigs(
    destinations: Sequence[Destination],
) -> tuple[list[Destination], dict[str, SweptRig]]:
    """Load the rigs; a destination that names a file gets the map's own name."""
    from dataclasses import replace

    from livefacs.clock import NS_PER_S
    from livefacs.retarget.library import load_rig
    from livefacs.retarget.retargeter import Retargeter
    from livefacs.sinks.probe_frames import Step, SweptRig, sweep_frames

    rigs: dict[str, SweptRig] = {}
    renamed = []
    for each in destinations:
        if each.rig is not None:
            program = load_rig(each.rig)
            neutral = next(sweep_frames(Step("rest", ""), {}, seconds=1.0, rate_hz=1.0, i_first=0))
            rest = Retargeter(program).retarget(replace(neutral, t_ns=NS_PER_S)).values
            rigs[program.rig] = SweptRig(program.controls, program.limits, rest)
            each = replace(each, rig=program.rig)
        renamed.append(each)
    return renamed, rigs


def _is_wanted(step: Step, only: Iterable[str]) -> bool:
    parts = [part.casefold() for part in only]
    return not parts or any(part in step.name.casefold() for part in parts)


def _run(
    steps: Sequence[Step],
    rigs: dict[str, SweptRig],
    hub: Outputs,
    seconds: float,
    rate_hz: float,
    start_ns: int,
    n_sent: int,
) -> int:
    from dataclasses import replace

    from livefacs.clock import NS_PER_S, now_ns
    from livefacs.sinks.probe_frames import sweep_frames

    for step in steps:
        say(step.name if step.kind in ("au", "pose") else f"{step.kind}  {step.name}")
        for frame in sweep_frames(step, rigs, seconds=seconds, rate_hz=rate_hz, i_first=n_sent):
            due_ns = start_ns + frame.t_ns
            wait_ns = due_ns - now_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / NS_PER_S)
            hub.send(replace(frame, t_ns=due_ns))
            n_sent += 1
    return n_sent


def _rest(rigs: dict[str, SweptRig], hub: Outputs, start_ns: int) -> None:
    from dataclasses import replace

    from livefacs.clock import now_ns
    from livefacs.sinks.probe_frames import Step, sweep_frames

    rest = next(sweep_frames(Step("rest", ""), rigs, seconds=1.0, rate_hz=1.0, i_first=0))
    hub.send(replace(rest, t_ns=max(now_ns(), start_ns)), force=True)
