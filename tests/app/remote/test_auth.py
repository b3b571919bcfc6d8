"""Tokens: with which refreshId they are rotated, which answer counts, and what a crash leaves behind."""

import json
from typing import Any

import pytest

from app.errors import OfflineError, SignInError
from app.remote.auth import SessionTokens, pin_of, read_pin
from app.remote.endpoint import Endpoint
from app.store.vault import Vault
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import Credentials, Device, Primary, Refreshed, RefreshRequest, SignedIn
from tests.support.fake_keyring import FakeKeyring

PRIMARY = Primary("in-mum-1", "ap-south-1", "https://books.example.com")
SIGNED_IN = SignedIn(
    "access 0", 300, "refresh 0", PRIMARY, "asha", "book-1", "0K7", 0, "2026-11-23T00:00:00Z"
)
BODY = Credentials("asha", "secret", Device("d"))
AT = Endpoint("https://books.example.com", server_id="in-mum-1")


class FakeClient:
    """Answers refreshes as a server does: the same refreshId gives the same next generation."""

    def __init__(self, keyring: FakeKeyring) -> None:
        self.keyring = keyring
        self.trouble: list[Exception | None] = []
        self.asked: list[tuple[str, str]] = []
        self.spent: dict[str, str] = {}
        self.in_keyring_when_asked: list[str] = []

    def call(self, kind: type[Any], method: str, path: str, *, body: Any = None, **_: Any) -> Any:
        if path == paths.AUTH_LOGIN:
            return SIGNED_IN
        assert path == paths.AUTH_REFRESH
        assert isinstance(body, RefreshRequest)
        self.asked.append((body.refresh_token, body.refresh_id))
        self.in_keyring_when_asked.append("".join(self.keyring.kept.values()))
        trouble = self.trouble.pop(0) if self.trouble else None
        if isinstance(trouble, SignInError):
            raise trouble
        if self.spent.setdefault(body.refresh_token, body.refresh_id) != body.refresh_id:
            raise SignInError("Please sign in again.", code=ErrorCode.UNAUTHENTICATED)
        if trouble is not None:  # the rotation was made, its answer lost
            raise trouble
        number = int(body.refresh_token.split()[1]) + 1
        return answer_of(f"access {number}", f"refresh {number}")


def answer_of(access: str, refresh: str) -> Refreshed:
    return Refreshed(access, 300, refresh, PRIMARY, False, "balance", 0, "2026-11-23T00:00:09Z")


class Bench:
    """Tokens over a fake server, a fake keyring and a clock."""

    def __init__(self) -> None:
        self.keyring = FakeKeyring()
        self.client = FakeClient(self.keyring)
        self.now = 0.0
        self.tokens = self.start()

    def start(self) -> SessionTokens:
        """Return the tokens of a program that has just started."""
        return SessionTokens(self.client, Vault(lambda: "device-1", lambda: self.keyring))  # type: ignore[arg-type]

    def sign_in(self, *, remember: bool = True) -> None:
        self.tokens.adopt(self.tokens.ask(BODY, AT), AT.url, self.now, remember=remember)

    def renew(self, tokens: SessionTokens | None = None) -> str:
        """Rotate once, and return the access token in force."""
        chosen = tokens or self.tokens
        record = chosen.record()
        assert record is not None
        answer = chosen.rotate(record, AT, "", "expiry", critical=False, seconds=4)
        assert chosen.take(answer, record, self.now)
        return chosen.access(self.now)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.sign_in()
    return made


def test_an_access_token_is_valid_until_it_expires(bench: Bench) -> None:
    assert bench.tokens.access(299.9) == "access 0"
    assert bench.tokens.access(300) == ""


def test_the_refresh_id_is_in_the_keyring_before_the_request_is_sent(bench: Bench) -> None:
    bench.renew()
    kept = json.loads(bench.client.in_keyring_when_asked[0])
    assert (kept["refresh_token"], kept["refresh_id"]) == bench.client.asked[0]


def test_a_refresh_whose_answer_was_lost_is_repeated_with_the_same_id(bench: Bench) -> None:
    bench.client.trouble = [OfflineError(), OfflineError()]
    for _ in range(2):
        with pytest.raises(OfflineError):
            bench.renew()
    assert bench.renew() == "access 1"
    assert len(set(bench.client.asked)) == 1


def test_a_session_survives_a_crash_during_a_refresh(bench: Bench) -> None:
    bench.client.trouble = [OfflineError()]
    with pytest.raises(OfflineError):
        bench.renew()
    after = bench.start()
    assert bench.renew(after) == "access 1"
    assert bench.renew(after) == "access 2"
    assert [token for token, _ in bench.client.asked] == ["refresh 0", "refresh 0", "refresh 1"]


def test_each_generation_has_its_own_refresh_id(bench: Bench) -> None:
    for _ in range(4):
        bench.renew()
    assert len({refresh_id for _, refresh_id in bench.client.asked}) == 4


def test_of_two_answers_to_one_refresh_id_the_first_counts(bench: Bench) -> None:
    asked = bench.tokens.record()
    assert asked is not None
    assert bench.tokens.take(answer_of("access of B", "refresh of B"), asked, bench.now)
    assert not bench.tokens.take(answer_of("access of A", "refresh of A"), asked, bench.now)
    record = bench.tokens.record()
    assert record is not None
    assert record.refresh_token == "refresh of B"
    assert bench.tokens.access(bench.now) == "access of B"


def test_an_answer_after_the_end_of_the_session_is_ignored(bench: Bench) -> None:
    asked = bench.tokens.record()
    assert asked is not None
    bench.tokens.forget()
    assert not bench.tokens.take(answer_of("late", "late"), asked, bench.now)
    assert bench.tokens.record() is None
    assert bench.tokens.access(bench.now) == ""


def test_a_late_refusal_does_not_end_the_next_session(bench: Bench) -> None:
    asked = bench.tokens.record()
    assert asked is not None
    bench.sign_in()
    assert not bench.tokens.end(asked)
    assert bench.tokens.access(bench.now) == "access 0"
    now = bench.tokens.record()
    assert now is not None
    assert bench.tokens.end(now)
    assert bench.tokens.access(bench.now) == ""
    assert bench.keyring.kept == {}


def test_only_the_refused_token_is_dropped(bench: Bench) -> None:
    bench.renew()
    assert not bench.tokens.drop_access("access 0")
    assert bench.tokens.access(0) == "access 1"
    assert bench.tokens.drop_access("access 1")
    assert bench.tokens.access(0) == ""


def test_a_session_that_is_not_remembered_leaves_nothing_for_the_next_start() -> None:
    bench = Bench()
    bench.sign_in(remember=False)
    assert bench.renew() == "access 1"
    assert bench.keyring.kept == {}
    assert bench.start().record() is None


def test_a_session_kept_in_memory_can_be_moved_into_the_keyring() -> None:
    bench = Bench()
    bench.sign_in(remember=False)
    bench.tokens.keep_in(Vault(lambda: "device-1", lambda: bench.keyring), remember=True)
    assert bench.renew() == "access 1"
    found = bench.start().record()
    assert found is not None
    assert found.refresh_token == "refresh 1"


def test_forgetting_returns_the_token_to_log_out_with(bench: Bench) -> None:
    assert bench.tokens.forget() == "refresh 0"
    assert bench.tokens.forget() == ""


def test_the_record_contains_the_pin_and_the_book(bench: Bench) -> None:
    record = bench.tokens.record()
    assert record is not None
    assert (record.server, record.pin, record.book_id) == (AT.url, "in-mum-1/0", "book-1")
    assert read_pin(record.pin) == ("in-mum-1", 0)


@pytest.mark.parametrize("text", ["", "in-mum-1", "/3", "in-mum-1/", "in-mum-1/x"])
def test_a_malformed_pin_is_read_as_none(text: str) -> None:
    assert read_pin(text) == ("", 0)
    assert read_pin(pin_of("a/b", 7)) == ("a/b", 7)


def test_a_call_for_another_book_than_the_open_one_is_refused(bench: Bench) -> None:
    bench.tokens.require_book("book-1")
    bench.tokens.require_book("")
    with pytest.raises(SignInError):
        bench.tokens.require_book("book-2")
    bench.tokens.forget()
    with pytest.raises(SignInError):
        bench.tokens.require_book("")
