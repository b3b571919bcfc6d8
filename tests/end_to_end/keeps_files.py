"""The program without its windows: makes every file that it keeps, and two that the user saves for himself.

argv: the home folder, the folder for the user's files, the umask in octal. Prints {"socket": path} when done,
waits for a line on standard input, and closes.
"""

import json
import os
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.bootstrap import make_desk
from app.domain.entry import Direction, EntryDraft, EntryFilter
from app.paths import Paths
from app.ui.single_instance import SingleInstance


def main() -> None:
    """Work once."""
    home, out = Path(sys.argv[1]), Path(sys.argv[2])
    os.umask(int(sys.argv[3], 8))
    application = QCoreApplication([])
    instance = SingleInstance(home, application)
    assert instance.claim()
    instance.listen()
    desk = make_desk(Paths(home))
    services = desk.services
    services.accounts.sign_in_local("Asha", "")
    bill = services.documents.attach_bytes(b"%PDF-1.7 a bill", "bill.pdf")
    services.entries.save(EntryDraft(date(2026, 11, 2), Decimal(7), Direction.DEBIT, "Tea", "Chai", (bill,)))
    services.worker.start()
    assert services.worker.send_and_wait().error is None
    services.exports.write_csv(EntryFilter(), out / "book.csv", lambda _: None, lambda: False)
    services.documents.save_copy(bill, out / "copy.pdf")
    os.write(1, json.dumps({"socket": instance.address}).encode() + b"\n")
    sys.stdin.readline()
    instance.release()
    desk.close()


if __name__ == "__main__":
    main()
