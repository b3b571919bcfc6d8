"""Saving the report about an error of the program."""

from pathlib import Path

from app.errors import storage_error
from server.contract.durable_files import write_file


def save_report(report: str, file: Path) -> None:
    """Write a report into a text file that only its owner can read. Raises StoreError."""
    try:
        write_file(file, report.encode(), private=True)
    except OSError as error:
        raise storage_error(error, file) from error
