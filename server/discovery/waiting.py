"""Those who wait for a server's state to change: thousands may, and sleep until it does."""

import asyncio


class Waiting:
    """One future a server, shared by all who wait for it. One event loop's object."""

    def __init__(self) -> None:
        self._futures: dict[str, asyncio.Future[None]] = {}
        self.closed = False

    async def until_woken(self, id_: str, seconds: float) -> None:
        """Return when `id_` is woken, or after `seconds`."""
        future = self._futures.get(id_)
        if future is None:
            future = self._futures[id_] = asyncio.get_running_loop().create_future()
        await asyncio.wait((future,), timeout=seconds)

    def wake(self, id_: str) -> None:
        """Wake all who wait for `id_`."""
        if future := self._futures.pop(id_, None):
            future.set_result(None)

    def close(self) -> None:
        """Wake everybody; from now on nobody should wait."""
        self.closed = True
        for id_ in list(self._futures):
            self.wake(id_)
