"""DNS look-ups for `peer_http`. Import this module lazily: it loads aiohttp."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS: Final = 16


class NameLookup(AbstractResolver):
    """Looks names up in threads of its own, which are started when they are needed."""

    # uvloop has four threads for all look-ups of a process, and even a connection to an IP address waits for
    # them. A few names whose look-ups hang would delay the calls to every server.

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "name lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Take no more look-ups; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    try:
        return [*socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)]
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
