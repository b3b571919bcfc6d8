"""The digits of every script, read as 0–9."""

import unicodedata


def western_digits(text: str) -> str:
    """Return `text` with the decimal digits of every script (१२३, ૧૨૩ …) as 0–9."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
