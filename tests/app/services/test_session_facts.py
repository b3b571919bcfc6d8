"""What is remembered of a session, and what becomes another when its lock moves."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from app.services.session_facts import BookSession, decode_facts, encode_facts

SESSION = BookSession("asha", "b", "M7A", "in-mum-1", "ap-south-1", "in-mum-1 · ap-south-1")


def test_stored_facts_are_read_back_with_a_new_pin() -> None:
    text = encode_facts("https://bahi.example", SESSION)
    assert SESSION.pin_id not in text
    known = decode_facts(text)
    assert known == ("https://bahi.example", SESSION)
    assert known[1].pin_id != SESSION.pin_id


def test_any_other_text_is_read_as_none() -> None:
    assert decode_facts("") is None
    assert decode_facts("[]") is None
    assert decode_facts('{"address": "", "user_name": "asha"}') is None


def test_each_move_and_each_return_of_a_server_gives_a_new_pin() -> None:
    beside = SESSION.pinned_to("in-mum-2", "ap-south-1")
    assert (beside.server_id, beside.server_label) == ("in-mum-2", "in-mum-2 · ap-south-1")
    there = beside.pinned_to("ie-dub-1", "eu-west-1")
    again = there.pinned_to("in-mum-1", "ap-south-1")
    assert again == again.pinned_anew() == SESSION
    assert len({each.pin_id for each in (SESSION, beside, there, again, again.pinned_anew())}) == 5


def test_the_time_of_a_pin_is_stored_and_changes_only_with_the_server() -> None:
    at = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)
    known = decode_facts(encode_facts("https://bahi.example", replace(SESSION, pinned_at=at)))
    assert known is not None
    session = known[1]
    assert session.pinned_at == session.pinned_anew().pinned_at == at
    assert session.pinned_to(session.server_id, session.region).pinned_at == at
    assert session.pinned_to("ie-dub-1", "eu-west-1").pinned_at > at


def test_facts_of_an_earlier_version_without_the_time_are_read() -> None:
    values = json.loads(encode_facts("", SESSION))
    del values["pinned_at"]
    assert decode_facts(json.dumps(values)) == ("", SESSION)
