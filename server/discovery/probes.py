"""Knocking at a server: does it answer, and is it that server?"""

import asyncio
import ipaddress
import socket
import ssl
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
import truststore

from server.contract import cluster, paths
from server.contract.shapes import Health
from server.errors import StartError

PROBE_SECONDS: Final = 1.0
_MOST_BYTES: Final = 16 * 1024


def trust(ca_file: str) -> ssl.SSLContext:
    """Return whose certificates are believed: the system's, and those of `ca_file`. Raises StartError."""
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        try:
            context.load_verify_locations(Path(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"The certificates in {ca_file} cannot be read.") from error
    return context


async def answers(url: str, server_id: str, trusted: ssl.SSLContext) -> bool:
    """Say whether the server `server_id` answers at `url` within PROBE_SECONDS.

    A refused connection is told at once. A redirect is no answer.
    """
    if not cluster.is_allowed_url(url):
        return False
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            text = await _get(url, trusted)
    except (OSError, TimeoutError, ValueError):  # ValueError: more came than anybody asked for
        return False
    return _is_health_of(server_id, text)


async def _get(url: str, trusted: ssl.SSLContext) -> bytes:
    parts = urlsplit(url)
    reader, writer = await _connect(parts, trusted)
    try:
        # HTTP/1.0: the answer comes in one piece and ends with the connection.
        writer.write(f"GET {paths.HEALTH_LIVE} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return await _read(reader)
    finally:
        writer.transport.abort()


async def _connect(
    parts: SplitResult, trusted: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that lets us in. Raises OSError."""
    assert parts.hostname is not None
    secure: dict[str, Any] = {"ssl": trusted, "server_hostname": parts.hostname}
    if parts.scheme != "https":
        secure = {}
    refused = OSError("no address")
    for host, port in await _addresses(parts.hostname, parts.port or (443 if secure else 80)):
        try:
            return await asyncio.open_connection(host, port, **secure)
        except OSError as error:
            refused = error
    raise refused


async def _addresses(host: str, port: int) -> list[tuple[str, int]]:
    """Look a name up, in a thread: the loop's own way tells an error to the log when the second is over."""
    try:
        return [(str(ipaddress.ip_address(host)), port)]
    except ValueError:
        look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(None, look)
    return [(str(address[0]), port) for *_, address in found]


async def _read(reader: asyncio.StreamReader) -> bytes:
    text = b""
    while piece := await reader.read(_MOST_BYTES):
        text += piece
        if len(text) > _MOST_BYTES:
            raise ValueError("an endless answer")
    return text


def _is_health_of(server_id: str, text: bytes) -> bool:
    head, _, body = text.partition(b"\r\n\r\n")
    if head.split(b" ")[1:2] != [b"200"]:
        return False
    try:
        return msgspec.json.decode(body, type=Health).server_id == server_id
    except msgspec.MsgspecError:
        return False
