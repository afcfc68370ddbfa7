"""Drive a rig from a loop of your own: a camera's frames, the map's controls, your engine.

python drive_a_rig.py            # the first camera
python drive_a_rig.py demo 3     # the bundled performer, three seconds
"""

import sys

import livefacs


def set_control(name: str, value: float) -> None:
    """Where your engine comes in."""
    print(f"{name} {value:.2f}", end="  ")


def main(source: str = "auto", seconds: str = "") -> None:
    rig = livefacs.load_rig("arkit52")
    limit = float(seconds) if seconds else None
    with livefacs.open_session(source, seconds=limit, notify=print) as session:
        for frame in session:
            made = rig.retarget(frame)
            for name, value in zip(made.controls, made.values.tolist(), strict=True):
                if value > 0.3:
                    set_control(name, value)
            print()


if __name__ == "__main__":
    main(*sys.argv[1:])
