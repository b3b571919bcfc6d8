"""Decodes JSON that a stranger sent. Pure."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode_json(text: bytes | bytearray, kind: type[T]) -> T:
    """Return the value. Raises msgspec.DecodeError, its subclass ValidationError if only the shape is wrong.

    Unlike `msgspec.json.decode`, it raises nothing else for text that is not UTF-8 or is nested too deeply.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError("not JSON in UTF-8, or nested too deeply") from error
