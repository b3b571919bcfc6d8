"""JSON of a stranger: whatever it is, a value or one kind of error."""

import msgspec
import pytest

from server.contract.decoding import decode_json
from server.contract.shapes import Health


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b'{"status":"\xff"}',
        b"[" * 1_000_000,
        b'{"x":' * 1_000_000,
        b'{"status":' + b"[" * 1_000_000,
        b"[]",
        b'{"status":1}',
        b"1e999999999",
    ],
)
def test_nonsense_is_a_decode_error(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(text, Health)
