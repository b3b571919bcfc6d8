"""Answers of a server as the program's own data: no text is too long for the windows."""

from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass

import msgspec
import pytest

from app.domain.wording import words_of
from app.errors import ServerError
from app.remote.translate import description_of, error_of, rupees_of, version_of
from server.contract import shapes
from server.contract.errors import ErrorBody, ErrorCode, ErrorInfo

THERE = words_of(is_local=False)
LONG = "m " * 10_000


def body(code: str, message: str, fields: object = None) -> bytes:
    return msgspec.json.encode(ErrorBody(ErrorInfo(code, message, {"fields": fields})))


@pytest.mark.parametrize("code", [*ErrorCode, "of_a_later_version"])
def test_each_sentence_of_an_error_is_short(code: str) -> None:
    fields = [{"field": f"{LONG}{number}", "message": LONG} for number in range(60)]
    for found in (fields[:2], fields, None):
        error = error_of(422, body(code, LONG, found), THERE)
        assert error.message.endswith("…")
        assert len(error.message) <= 500
        assert len(error.fields) <= 50
        assert all(len(name) <= 100 and len(text) <= 500 for name, text in error.fields.items())


def test_a_long_code_is_cut_and_an_ordinary_error_stays_as_it_is() -> None:
    assert len(error_of(500, body(LONG, "No."), THERE).code) == 100
    fields = [{"field": "amount", "message": "The amount must be above zero."}]
    error = error_of(422, body("invalid_fields", "Please correct the form.", fields), THERE)
    assert (error.message, error.code) == ("Please correct the form.", "invalid_fields")
    assert error.fields == {"amount": "The amount must be above zero."}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Two\r\nlines\x00 and\u2028three.", "Two lines and three."),
        ("\u202eReversed.", "Reversed."),
        (" \u200b\n", "The server did not accept this, and gave no reason."),
        ("x" * 500, "x" * 500),
    ],
)
def test_a_sentence_is_one_line_that_can_be_read(message: str, shown: str) -> None:
    assert error_of(400, body("bad_request", message), THERE).message == shown


@pytest.mark.parametrize("fields", [{}, "x", [1, None], [{"field": [LONG], "message": {"a": LONG}}]])
def test_fields_of_another_shape_are_left_out(fields: object) -> None:
    assert error_of(422, body("invalid_fields", "No.", fields), THERE).fields == {}


def test_each_text_of_an_entry_and_its_history_is_short() -> None:
    at = "2026-04-01T10:00:00+00:00"
    entry = shapes.Entry("1", "2026-04-01", "1.00", "DR", "INR", LONG, LONG, LONG, 1, at, at, 1)
    bill = shapes.Document("1", LONG, LONG, LONG, 1, "0" * 64)
    version = shapes.EntryVersion("1", entry, "created", LONG, LONG, "in", True, False, [bill], [bill])
    suggestion = shapes.DescriptionSuggestion(LONG, 1, LONG, "DR")
    texts = list(_texts((version_of(version), description_of(suggestion))))
    assert len(texts) >= 13
    assert max(map(len, texts)) == 2_000


def _texts(value: object) -> Iterator[str]:
    """Yield every text in dataclasses and tuples."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value):
        for field in dataclass_fields(value):
            yield from _texts(getattr(value, field.name))


@pytest.mark.parametrize(
    "text", ["1e999999999", "1E5", "NaN", "Infinity", "", "१२", "1.000", "9" * 31, "1\n"]
)
def test_an_amount_that_a_server_must_not_send_is_refused_at_once(text: str) -> None:
    with pytest.raises(ServerError, match="amount that cannot be read"):
        rupees_of(text)


@pytest.mark.parametrize("text", ["0", "0.00", "-12.50", "9999999999999999.99", "1" + "0" * 24 + ".00"])
def test_an_amount_or_a_sum_of_a_server_is_taken_exactly(text: str) -> None:
    assert str(rupees_of(text)) == text
