"""This program's log: JSON lines in its data folder. Never tokens, amounts or the contents of a document.

Each call to a server is a line with a request id, by which the server's own line can be found.
"""

import logging
import os
from collections import deque
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from app.domain.crash_report import LoggedEvent
from server.contract.json_lines import JsonLines
from server.contract.private_files import private_opener

_MAX_BYTES: Final = 2 * 1024 * 1024
_KEPT_EVENTS: Final = 40


class _PrivateLog(RotatingFileHandler):
    """A log file that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = private_opener(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


class _RecentEvents(logging.Handler):
    """Keeps the names of the last events in memory, for the report about an error."""

    def __init__(self) -> None:
        super().__init__()
        self.events: deque[LoggedEvent] = deque(maxlen=_KEPT_EVENTS)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the constant part of the message only, without the values that belong to it."""
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")  # noqa: DTZ006 - the user's own time
        self.events.append(LoggedEvent(at, str(record.msg)))


def recent_events() -> tuple[LoggedEvent, ...]:
    """Return the last events that this program has logged, the oldest first."""
    kept = [each for each in logging.getLogger("app").handlers if isinstance(each, _RecentEvents)]
    return tuple(kept[-1].events) if kept else ()


def log_to_file(path: Path) -> logging.Handler:
    """Log to the file `path`, which is rotated at 2 MB. Return the handler, for `end_log`.

    If the file cannot be written, the program runs without a log.
    """
    handler: logging.Handler
    try:
        handler = _PrivateLog(path, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8", delay=False)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.addHandler(_RecentEvents())
    return handler


def end_log(handler: logging.Handler) -> None:
    """Stop logging to the handler of `log_to_file`, and close it."""
    logger = logging.getLogger("app")
    logger.removeHandler(handler)
    handler.close()
    for kept in [each for each in logger.handlers if isinstance(each, _RecentEvents)][-1:]:
        logger.removeHandler(kept)
