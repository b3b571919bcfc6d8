"""Runs tasks in the background of a block of code, and ends them with it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run each coroutine in a task of its own; when the block ends, cancel the tasks and wait for them."""
    tasks = [start_task(each) for each in work]
    try:
        yield
    finally:
        await end_tasks(tasks)


def start_task(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start a task. If it fails, the failure is logged at once."""
    # asyncio reports a failure only when nobody refers to the task any more, which may be never.
    task = asyncio.create_task(work)
    task.add_done_callback(_log_failure)
    return task


async def end_tasks(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until all have ended. Their errors are ignored."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


def _log_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("background task failed", exc_info=error)
