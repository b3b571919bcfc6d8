"""This program's log: JSON lines in its data folder. Never tokens, amounts or the contents of a document.

Each call to a server is a line with a request id, by which the server's own line can be found.
"""

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from server.contract.json_lines import JsonLines
from server.contract.private_files import private_opener

_MAX_BYTES: Final = 2 * 1024 * 1024


class _PrivateLog(RotatingFileHandler):
    """A log file that only its owner can read."""

    def _open(self) -> TextIOWrapper:
        descriptor = private_opener(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


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
    return handler


def end_log(handler: logging.Handler) -> None:
    """Stop logging to the handler of `log_to_file`, and close it."""
    logging.getLogger("app").removeHandler(handler)
    handler.close()
