"""Plot some Action Units while they are measured.

    python live_plot.py                          # the first camera
    python live_plot.py demo 3 plot.png          # the performer for three seconds, saved at the end

Needs the extra ``plot``.
"""

import sys
from collections import deque

import matplotlib.pyplot as plt

import livefacs
from livefacs.vocab.facs import CHANNEL_INDEX

SHOWN = ("AU2_L", "AU12_L", "AU12_R", "AU26", "AU45_L")
KEPT = 300  # frames
DRAW_EVERY = 3


def main(source: str = "auto", seconds: str = "", picture: str = "") -> None:
    columns = [CHANNEL_INDEX[name] for name in SHOWN]
    times: deque[float] = deque(maxlen=KEPT)
    rows: deque[list[float]] = deque(maxlen=KEPT)
    figure, axes = plt.subplots()
    lines = [axes.plot([], [], label=name)[0] for name in SHOWN]
    axes.set(xlabel="seconds", ylabel="intensity", ylim=(0, 1))
    axes.legend(loc="upper left")
    limit = float(seconds) if seconds else None
    with livefacs.open_session(source, seconds=limit) as session:
        for frame in session:
            times.append(frame.t_ns / 1e9)
            rows.append(frame.units.intensity[columns].tolist())
            if frame.i_frame % DRAW_EVERY == 0 and len(times) > 1:
                for line, values in zip(lines, zip(*rows, strict=True), strict=True):
                    line.set_data(times, values)
                axes.set_xlim(times[0], times[-1])
                figure.canvas.draw_idle()
                figure.canvas.flush_events()
                if not picture:
                    plt.pause(0.001)  # lets the window live
    if picture:
        figure.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
