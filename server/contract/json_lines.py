"""Formats log records as JSON, one object per line, for the program and the server.

It is not part of the protocol. It is here because both use it, and this package is all that both may import.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName"),  # set by Python, some by newer versions only
    "color_message",  # set by uvicorn: the message once more
}


class JsonLines(logging.Formatter):
    """Formats a record with its `extra` fields. `context` returns more fields for every record.

    If both have a field of the same name, the record's is used.
    """

    def __init__(self, context: Callable[[], Mapping[str, object]] = dict) -> None:
        super().__init__()
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": record.getMessage(),
        }
        line |= self._context()
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        # Only the class of an exception: its text may contain what somebody entered.
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, default=str, ensure_ascii=False)
