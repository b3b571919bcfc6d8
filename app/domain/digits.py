"""Digits of any script, converted to 0–9."""

import unicodedata


def western_digits(text: str) -> str:
    """Return `text` with the decimal digits of any script (१२३, ૧૨૩ …) replaced by 0–9."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
