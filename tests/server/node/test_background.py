"""Tasks beside a block: ended with it, and heard of when they fail."""

import asyncio

import pytest

from server.node.background import background, end_tasks, start_task


class Work:
    """Goes on until it is cancelled, and takes a while to end."""

    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), False

    async def run(self) -> None:
        try:
            self.began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended = True


async def _fail() -> None:
    raise ValueError("a defect")


def test_tasks_run_beside_the_block_and_have_ended_after_it() -> None:
    async def main() -> None:
        works = [Work(), Work()]
        async with background(*(each.run() for each in works)):
            for each in works:
                await each.began.wait()
            assert not any(each.ended for each in works)
        assert all(each.ended for each in works)

    asyncio.run(main())


def test_tasks_end_with_a_block_that_fails_or_is_cancelled() -> None:
    async def block(work: Work, failing: bool) -> None:
        async with background(work.run()):
            await work.began.wait()
            if failing:
                raise KeyError
            await asyncio.Event().wait()

    async def main() -> None:
        work = Work()
        with pytest.raises(KeyError):
            await block(work, failing=True)
        assert work.ended
        work = Work()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await block(work, failing=False)
        assert work.ended

    asyncio.run(main())


def test_a_task_that_fails_is_logged_at_once_and_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        work = Work()
        async with background(_fail(), work.run()):
            while not caplog.messages:
                await asyncio.sleep(0)
            assert not work.ended

    asyncio.run(main())
    (record,) = caplog.records
    assert (record.message, record.levelname) == ("background task failed", "ERROR")
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError


def test_the_result_of_a_task_is_still_there_for_whoever_asks(caplog: pytest.LogCaptureFixture) -> None:
    async def answer() -> int:
        return 42

    async def main() -> None:
        good, bad, ended = start_task(answer()), start_task(_fail()), start_task(Work().run())
        assert await good == 42
        with pytest.raises(ValueError, match="defect"):
            await bad
        await end_tasks([good, bad, ended])
        assert ended.cancelled()

    asyncio.run(main())
    assert caplog.messages == ["background task failed"]
