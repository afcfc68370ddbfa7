"""Score a clip's estimate against a key: frames that a coder coded, with FACS notation.

    python score_against_key.py shot.mp4 key.csv

The key has a column ``frame`` (from 0) and a column ``codes``, as in ``1C+2C+R12B``. The agreement
of each frame is the FACS manual's: codes in common, twice, over all codes of both. A machine's
estimate is no key: this says how far it can be trusted on your footage.
"""

import csv
import sys
from pathlib import Path

import livefacs
from livefacs.mirror.coding import agreement_index, sort_key
from livefacs.vocab.notation import parse_notation

PRESENT = 0.15  # intensity from which an action counts as there
LEFT_OUT = {"51", "52", "53", "54", "55", "56", "61", "62", "63", "64"}  # head and eyes


def codes_of(take: livefacs.Take, row: int) -> set[str]:
    """Numbers of the actions of one frame, whatever their side."""
    strong = [n for n, v in zip(take.channels, take.values[row], strict=True) if v >= PRESENT]
    return {name[2:].split("_")[0] for name in strong} - LEFT_OUT


def main(clip: Path, key: Path) -> None:
    take = livefacs.solve(clip)
    row_of = {int(number): row for row, number in enumerate(take["frame"])}
    indices = []
    with key.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            coded = {score.code for score in parse_notation(line["codes"])} - LEFT_OUT
            found = codes_of(take, row_of[int(line["frame"])])
            indices.append(agreement_index(coded, found))
            missed, added = (
                "+".join(sorted(s, key=sort_key)) for s in (coded - found, found - coded)
            )
            print(f"frame {line['frame']}: {indices[-1]:.2f}  missed: {missed}  added: {added}")
    print(f"mean agreement: {sum(indices) / len(indices):.2f} over {len(indices)} frames")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
