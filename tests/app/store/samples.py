"""Drafts and bills for the tests of this room; also run as the program that is killed."""

import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

from app.domain.entry import Attachment, Direction, EntryDraft
from app.store.database import Database
from app.store.files import Files
from app.store.outbox import Outbox

BOOK = "book-1"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


def bill(name: str = "bill.pdf") -> Attachment:
    """Return a bill whose bytes are nowhere."""
    return Attachment(f"id of {name}", name, "application/pdf", 5, hashlib.sha256(name.encode()).hexdigest())


def draft(text: str = "Tea", *bills: Attachment) -> EntryDraft:
    """Return a draft of ₹12.50 spent."""
    return EntryDraft(date(2026, 11, 22), Decimal("12.50"), Direction.DEBIT, "Food", text, bills)


def save_for_ever(folder: Path) -> None:
    """Save entries with bills from three threads, telling each op_id and bill after `add` returned."""
    outbox, files = Outbox(Database(folder / "client.sqlite")), Files(folder / "bills")

    def save(worker: int) -> None:
        for number in count():
            kept = files.keep_bytes(PNG + os.urandom(50_000), f"{worker}-{number}.png")
            item = outbox.add(BOOK, draft(str(number), kept), "0K7", time.time_ns() // 1000)
            os.write(1, f"{item.op_id} {kept.sha256}\n".encode())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(save, range(3)))


def correct_for_ever(folder: Path) -> None:
    """Save entries, have each refused and corrected, and tell its code before the correction."""
    outbox = Outbox(Database(folder / "client.sqlite"))
    for number in count():
        item = outbox.add(BOOK, draft(f"wrong {number}", bill()), "0K7", time.time_ns() // 1000)
        outbox.refuse(item.op_id, "Not like this.")
        os.write(1, f"{item.human_code} {item.op_id}\n".encode())
        made = outbox.correct(item.op_id, draft(f"right {number}"), "0K7", time.time_ns() // 1000)
        assert made is not None


if __name__ == "__main__":
    {"save": save_for_ever, "correct": correct_for_ever}[sys.argv[2]](Path(sys.argv[1]))
