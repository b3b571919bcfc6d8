"""The entries of a shop with their bills, and the day on which its tests take place."""

import base64
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

from app.domain.codes import document_code
from app.domain.entry import Direction, DocumentInfo, ListedEntry

TODAY = date(2026, 11, 22)
BEGAN = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)
NOON = datetime(2026, 11, 22, 14, 5).astimezone()
"""Five past two by the clock on the wall of whoever runs this."""
DEVICE: Final = "asha-laptop"
HOME, ABROAD = "ap-south-1", "eu-west-1"
_SHOP = (
    ("Taxi to client site", "Travel", "640.00", "DR", 2),
    ("Team lunch, Saravana Bhavan", "Meals", "3480.00", "DR", 1),
    ("Refund, cancelled train to Pune", "Travel", "1120.00", "CR", 0),
    ("Printer paper and toner", "Office", "8999.00", "DR", 1),
    ("Airport parking", "Travel", "600.00", "DR", 1),
    ("Counter sale, Deepavali sweets", "Sales", "48250.00", "CR", 1),
    ("Electricity bill, BESCOM", "Utilities", "6412.50", "DR", 1),
    ("Shop rent, November", "Rent", "35000.00", "DR", 1),
    ("Invoice 2026-118, Mehta Traders", "Sales", "1234567.00", "CR", 2),
    ("Tea and biscuits for visitors", "Meals", "185.00", "DR", 0),
    ("Courier to Coimbatore, Blue Dart", "Freight", "420.00", "DR", 1),
    ("GST payment, October", "Taxes", "112480.00", "DR", 1),
    ("Sugar 50 kg and cardamom, Russell Market", "Stock", "5875.25", "DR", 1),
    ("Salary, Lakshmi", "Salaries", "22000.00", "DR", 0),
)


def shop_entries(count: int = 120, last: date = TODAY) -> list[ListedEntry]:
    """Return `count` confirmed entries of a shop, newest first, about two a day."""
    made = []
    for number in range(count):
        text, category, amount, direction, bills = _SHOP[number % len(_SHOP)]
        made.append(
            ListedEntry(
                id=f"0199aaaa-0000-7000-8000-{count - number:012d}",
                entry_date=last - timedelta(days=(number + 1) // 2),
                amount=Decimal(amount),
                direction=Direction(direction),
                category=category,
                description=text,
                human_code=f"0K7-{count - number:06d}",
                document_count=bills,
            )
        )
    return made


_DOT: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mNYtfsMAAREAjL77Qr1AAAAAElFTkSuQmCC"
)
"""A picture of one pixel; what follows its end is not looked at."""


def bills_of(row: ListedEntry) -> tuple[tuple[DocumentInfo, ...], dict[str, bytes]]:
    """Return as many bills as an entry has, and their bytes by SHA-256."""
    bills, files = [], {}
    for number in range(1, row.document_count + 1):
        code = document_code(row.human_code, number)
        data = _DOT + code.encode()
        digest = sha256(data).hexdigest()
        bills.append(DocumentInfo(f"bill-{code}", code, f"{code}.png", "image/png", len(data), digest))
        files[digest] = data
    return tuple(bills), files
