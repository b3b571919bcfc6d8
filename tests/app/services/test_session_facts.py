"""What is remembered of a session, and what becomes another when its lock moves."""

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
