"""Runs a discovery server: locks its folder, opens its socket, and ends cleanly."""

import ssl
import threading

import uvicorn

from server.discovery.app import create_app
from server.discovery.config import DiscoveryConfig
from server.discovery.service import Discovery
from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.node.own_files import restrict_own_files
from server.process.ready_line import KEEP_ALIVE_SECONDS, AnnouncingServer
from server.process.start_stop import end_if, end_on_signals, open_socket

_GRACE_SECONDS = 5


def serve(config: DiscoveryConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartError."""
    asked_to_end = end_on_signals()
    with lock_folder(config.folder):
        restrict_own_files(config.folder)
        discovery = Discovery(config)
        end_if(asked_to_end)
        with open_socket(config.host, config.port) as listening:
            host, port = listening.getsockname()[:2]
            scheme = "https" if config.tls_certificate else "http"
            url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
            _server(discovery, url, asked_to_end).run_on(listening)


def _server(discovery: Discovery, url: str, asked_to_end: threading.Event) -> AnnouncingServer:
    config = discovery.config
    settings = uvicorn.Config(
        create_app(discovery),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        lifespan="on",
        proxy_headers=False,  # nothing depends on the address of the caller
        ws="none",
        ssl_certfile=config.tls_certificate or None,
        ssl_keyfile=config.tls_key or None,
    )
    try:
        settings.load()
    except (OSError, ssl.SSLError) as error:
        raise StartError(f"Cannot use the TLS certificate or its key: {error.strerror or error}.") from error
    line: dict[str, object] = {"ready": True, "url": url, "serverId": config.discovery_id}
    return AnnouncingServer(settings, line, asked_to_end, at_end=discovery.release)
