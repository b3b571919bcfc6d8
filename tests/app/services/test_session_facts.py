"""What is remembered of a session, and what becomes another when its lock moves."""

from app.services.session_facts import Session, decode_facts, encode_facts

SESSION = Session("asha", "b", "M7A", "in-mum-1", "ap-south-1", "in-mum-1 · ap-south-1")


def test_what_is_remembered_is_read_again_and_is_another_stay() -> None:
    text = encode_facts("https://bahi.example", SESSION)
    assert SESSION.stay not in text
    known = decode_facts(text)
    assert known == ("https://bahi.example", SESSION)
    assert known[1].stay != SESSION.stay


def test_what_is_no_such_text_is_nothing() -> None:
    assert decode_facts("") is None
    assert decode_facts("[]") is None
    assert decode_facts('{"address": "", "user_name": "asha"}') is None


def test_at_each_server_and_when_one_is_back_another_stay_begins() -> None:
    beside = SESSION.at("in-mum-2", "ap-south-1")
    assert (beside.server_id, beside.server_label) == ("in-mum-2", "in-mum-2 · ap-south-1")
    there = beside.at("ie-dub-1", "eu-west-1")
    again = there.at("in-mum-1", "ap-south-1")
    assert again == again.back() == SESSION
    assert len({each.stay for each in (SESSION, beside, there, again, again.back())}) == 5
