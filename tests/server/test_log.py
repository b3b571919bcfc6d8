"""One JSON object a line."""

import json
import logging
import sys

from server.log import json_lines, request_id


def _line(**changes: object) -> dict[str, object]:
    record = logging.makeLogRecord(
        {"name": "server.x", "levelname": "INFO", "msg": "hello %s", "args": ("you",)}
    )
    vars(record).update(changes)
    text = json_lines().format(record)
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_a_line_tells_when_where_and_what() -> None:
    line = _line(request_id="r1", ms=1.5)
    assert str(line.pop("at")).endswith("+00:00")
    assert line == {
        "level": "info",
        "from": "server.x",
        "message": "hello you",
        "request_id": "r1",
        "ms": 1.5,
    }


def test_only_the_type_of_an_exception_is_logged() -> None:
    try:
        raise ValueError("amount 1250.00")
    except ValueError:
        line = _line(exc_info=sys.exc_info())
    assert line["error"] == "ValueError"
    line.pop("at")  # its microseconds may be any digits
    assert "1250" not in json.dumps(line)


def test_what_is_no_json_is_told_as_text() -> None:
    assert _line(where={1, 2}.__class__)["where"] == "<class 'set'>"


def test_whatever_is_logged_while_a_call_is_answered_carries_its_id() -> None:
    token = request_id.set("call-17")
    try:
        assert _line()["request_id"] == "call-17"
        assert _line(request_id="its own")["request_id"] == "its own"
    finally:
        request_id.reset(token)
    assert "request_id" not in _line()
