"""Solve every clip of a folder to Parquet, one file a clip, for pandas, Polars or DuckDB.

    python solve_folder.py dailies/ curves/

Needs the extra ``parquet``. For many clips on all cores see ``livefacs batch``.
"""

import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

import livefacs
from livefacs.errors import LivefacsError

CLIPS = {".mp4", ".mov", ".mkv", ".avi", ".webm"}


def main(folder: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for clip in sorted(path for path in folder.iterdir() if path.suffix.lower() in CLIPS):
        try:
            with livefacs.solve(clip) as take:
                target = output / f"{clip.stem}.parquet"
                parquet.write_table(pa.table(take.to_dict()), target)
                print(f"{target}: {len(take)} frames", *take.notices, sep="\n  ")
        except LivefacsError as error:  # one bad clip must not end the night
            print(f"{clip} failed: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
