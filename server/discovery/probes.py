"""Knocking at a server: does it answer, and is it that server?"""

import asyncio
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

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
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=trusted if secure else None)
    try:
        # HTTP/1.0: the answer comes in one piece and ends with the connection.
        writer.write(f"GET {paths.HEALTH_LIVE} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return await _read(reader)
    finally:
        writer.transport.abort()


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
