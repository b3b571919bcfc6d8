"""Lets calls wait until the state of a server changes. Thousands may wait at the same time."""

import asyncio


class Waiting:
    """Has one future for each server, shared by all calls that wait for it. Used in one event loop only."""

    def __init__(self) -> None:
        self._futures: dict[str, asyncio.Future[None]] = {}
        self.closed = False

    async def until_woken(self, id_: str, seconds: float) -> None:
        """Return when `wake(id_)` is called, or after `seconds`."""
        future = self._futures.get(id_)
        if future is None:
            future = self._futures[id_] = asyncio.get_running_loop().create_future()
        # Not wait_for: it would cancel the shared future at the first timeout.
        await asyncio.wait((future,), timeout=seconds)

    def wake(self, id_: str) -> None:
        """Wake all calls that wait for `id_`."""
        if future := self._futures.pop(id_, None):
            future.set_result(None)

    def close(self) -> None:
        """Wake all calls. The caller checks `closed` before it waits again."""
        self.closed = True
        for id_ in list(self._futures):
            self.wake(id_)
