"""Record a take, mark a moment in it, and export it for an animation package.

python record_and_export.py auto takes/ shot.glb
python record_and_export.py demo takes/ shot.glb     # the bundled performer, two seconds
"""

import sys
from pathlib import Path

import livefacs


def main(source: str, folder: Path, target: Path) -> None:
    seconds = 2.0 if source == "demo" else 10.0
    before = set(folder.glob("*"))
    with livefacs.open_session(source, record=folder, seconds=seconds, notify=print) as session:
        for frame in session:
            if frame.i_frame == 30:
                session.mark("one second in")
    (recorded,) = set(folder.glob("*")) - before
    with livefacs.Take(recorded) as take:
        take.export(target, rig="arkit52", fps="24")
        print(f"{target}: {len(take)} frames, {len(take.markers)} marker(s)")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
