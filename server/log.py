"""Logs: one JSON object a line. Never tokens, amounts or what a document holds."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the call that is being answered; every line that is logged meanwhile carries it."""


class JsonLines(logging.Formatter):
    """Formats a record with its `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if (call := request_id.get()) and "request_id" not in line:
            line["request_id"] = call
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, default=str, ensure_ascii=False)


def log_to_stderr(level: str = "INFO") -> None:
    """Send every logger's lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "uvicorn.error", "psycopg.pool"):
        logging.getLogger(noisy).setLevel("WARNING")
