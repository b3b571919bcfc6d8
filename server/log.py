"""The server's log: JSON lines on standard error. Never tokens, amounts or the contents of a document."""

import logging
import sys
from contextvars import ContextVar

from server.contract.json_lines import JsonLines

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the call that is being answered; every line that is logged meanwhile carries it."""


def json_lines() -> JsonLines:
    """Return the format of the log."""
    return JsonLines(_call)


def log_to_stderr(level: str = "INFO") -> None:
    """Send the lines of every logger to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "uvicorn.error", "psycopg.pool"):
        logging.getLogger(noisy).setLevel("WARNING")


def _call() -> dict[str, object]:
    call = request_id.get()
    return {"request_id": call} if call else {}
