"""This program's log: JSON lines beside its data. Never tokens, amounts or what a document holds.

Each call to a server is a line with its request id, which stands in the server's log too.
"""

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

_MOST_BYTES: Final = 2 * 1024 * 1024
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


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
        return json.dumps(line, default=str, ensure_ascii=False)


def log_to_file(path: Path) -> logging.Handler:
    """Send what this program's rooms log to `path`, which is kept below 2 MB; returns what to close.

    Where it cannot be written the program goes on without a log.
    """
    handler: logging.Handler
    try:
        handler = RotatingFileHandler(
            path, maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8", delay=False
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    return handler


def end_log(handler: logging.Handler) -> None:
    """Write no more to what `log_to_file` opened, and close it."""
    logging.getLogger("app").removeHandler(handler)
    handler.close()
