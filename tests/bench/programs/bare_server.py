"""The reference for `server_start`: Starlette and uvicorn with one route, and the same ready line."""

import asyncio
import json
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def live(_: Request) -> Response:
    """Answer."""
    return Response(b'{"status":"ok"}', media_type="application/json")


class _Announcing(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{sockets[0].getsockname()[1]}"}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Serve until killed."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/health/ready", live)])
    asyncio.run(_Announcing(uvicorn.Config(app, log_config=None, access_log=False)).serve([listening]))


if __name__ == "__main__":
    main()
