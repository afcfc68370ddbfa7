"""``python -m tools.head FACEBENCH [--to FILE]``: build the head that ships."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from livefacs.resources import data_path
from tools.head.build import build_head
from tools.head.people import mean_face, mean_shapes, read_people
from tools.head.write import write_head


def main() -> int:
    """Read the people, build, write; prints the size."""
    parser = argparse.ArgumentParser(prog="tools.head", description=__doc__)
    parser.add_argument("facebench", type=Path, help="folder with read.py, train/ and more/")
    parser.add_argument("--to", type=Path, default=data_path("head.glb"))
    options = parser.parse_args()
    try:
        people = read_people(options.facebench)
    except (FileNotFoundError, OSError) as error:
        print(f"tools.head: {error}", file=sys.stderr)
        return 2
    head = build_head(mean_face(people), mean_shapes(people))
    write_head(head, options.to)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
