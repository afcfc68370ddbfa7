"""Many clips on all cores, or on a Dask cluster: resumable, failures listed, the rest delivered.

What is done with one clip is the caller's function, which other processes import by its name. A
manifest beside the results remembers what was finished by the content of the clip and the options,
so that a second run does only what is new, changed or failed.
"""

from livefacs.batch.jobs import (
    Job,
    Outcome,
    Work,
    content_of,
    earlier_aside,
    key_of,
    usable_cores,
    work_once,
)
from livefacs.batch.manifest import MANIFEST_NAME, Manifest
from livefacs.batch.scheduling import run_batch

__all__ = [
    "MANIFEST_NAME",
    "Job",
    "Manifest",
    "Outcome",
    "Work",
    "content_of",
    "earlier_aside",
    "key_of",
    "run_batch",
    "usable_cores",
    "work_once",
]
