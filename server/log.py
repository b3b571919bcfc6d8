"""The server's log: JSON lines on standard error. Tokens, amounts and document contents are never logged."""

import logging
import sys
from contextvars import ContextVar

from server.contract.json_lines import JsonLines

# The id of the call that is being answered. Every line that is logged meanwhile has it.
request_id: ContextVar[str] = ContextVar("request_id", default="")


def json_lines() -> JsonLines:
    """Return the format of the log."""
    return JsonLines(_call)


def log_to_stderr(level: str = "INFO") -> None:
    """Send the records of all loggers to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # uvicorn logs every call, as our middleware does; a pool logs each of its attempts to connect.
    for noisy in ("uvicorn.access", "uvicorn.error", "psycopg.pool"):
        logging.getLogger(noisy).setLevel("WARNING")


def _call() -> dict[str, object]:
    call = request_id.get()
    return {"request_id": call} if call else {}
