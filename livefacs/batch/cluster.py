"""On a studio's own Dask cluster."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from livefacs.batch.jobs import Job, Outcome, Work, failure, work_once
from livefacs.errors import ConfigError, SinkError
from livefacs.files.hashes import hash_bytes

_ANSWER_S: Final = 10.0


def on_dask(
    looked_up: Iterator[Outcome], work: Work, options: Any, address: str
) -> Generator[Outcome]:
    """Hand in what is due, pass on what is not, then the results as they come."""
    client = _connected(address)
    with _tracebacks_silenced(), client:
        futures: dict[Any, Job] = {}
        for outcome in looked_up:
            if outcome.state == "due":
                futures[_submitted(client, work, outcome.job, options)] = outcome.job
            else:
                yield outcome
        yield from _results(futures, client.loop, address)


@contextmanager
def _tracebacks_silenced() -> Iterator[None]:
    """What Dask logs of a lost scheduler is said in one line of our own."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _submitted(client: Any, work: Work, job: Job, options: Any) -> Any:
    # The key names the result: one that the cluster has, or is making, is not made twice.
    place = hash_bytes(os.fsencode(job.target))
    key = f"livefacs-{job.key}-{place[:16]}"
    return client.submit(work_once, work, job, options, key=key, pure=True)


def _results(futures: dict[Any, Job], loop: Any, address: str) -> Iterator[Outcome]:
    dask = importlib.import_module("distributed")
    for future in dask.as_completed(list(futures), loop=loop):
        job = futures.pop(future)
        try:
            outcome = Outcome(job, "done", future.result())
        except (dask.CancelledError, dask.client.FutureCancelledError):
            raise SinkError(
                f"the Dask scheduler at {address} is gone, with {len(futures) + 1} clip(s) to do: "
                "start it again, then the same command goes on with them"
            ) from None
        except Exception as error:
            outcome = failure(job, error)
        yield outcome
        future.release()  # a result that was taken is not made again when its worker dies


def _connected(address: str) -> Any:
    try:
        dask: Any = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError(
            "a scheduler needs Dask, which is not installed: pip install 'livefacs[dask]'"
        ) from None
    try:
        asyncio.run(_knock(dask, address))
        return dask.Client(address, timeout=f"{_ANSWER_S}s", set_as_default=False)
    except (OSError, ValueError) as error:
        why = str(error) or f"no answer in {_ANSWER_S:.0f} s"
        raise SinkError(
            f"no Dask scheduler answers at {address!r} ({why}); expected tcp://HOST:PORT"
        ) from None


async def _knock(dask: Any, address: str) -> None:
    """Dask's client waits for ever where something listens and says nothing."""
    comm = await asyncio.wait_for(dask.core.connect(address, timeout=_ANSWER_S), _ANSWER_S + 1)
    await comm.close()
