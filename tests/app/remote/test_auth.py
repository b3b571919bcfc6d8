"""Tokens: when they are refreshed, with which refreshId, and what a crash leaves behind. Without a server."""

import json
import threading
from typing import Any

import pytest

from app.errors import OfflineError, SignInError
from app.remote.auth import Tokens
from app.store.vault import TokenRecord, Vault
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import Credentials, Device, Primary, Refreshed, RefreshRequest, SignedIn
from tests.support.fake_keyring import FakeKeyring

PRIMARY = Primary("in-mum-1", "ap-south-1", "https://books.example.com")
SIGNED_IN = SignedIn(
    "access 0", 300, "refresh 0", PRIMARY, "asha", "book-1", "0K7", 0, "2026-11-23T00:00:00Z"
)
BODY = Credentials("asha", "secret", Device("d"))


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
        return Refreshed(
            f"access {number}",
            300,
            f"refresh {number}",
            PRIMARY,
            False,
            "same_server",
            0,
            "2026-11-23T00:00:09Z",
        )


class Bench:
    """Tokens over a fake server, a fake keyring and a clock."""

    def __init__(self) -> None:
        self.keyring = FakeKeyring()
        self.client = FakeClient(self.keyring)
        self.now = 0.0
        self.heard: list[str] = []
        self.tokens = self.start()

    def start(self) -> Tokens:
        """Return the tokens of a program that has just started."""
        vault = Vault(lambda: "device-1", lambda: self.keyring)
        tokens = Tokens(self.client, vault, lambda: self.now, lambda low, _: low)  # type: ignore[arg-type]
        tokens.on_server_time = self.heard.append
        return tokens

    def sign_in(self, *, remember: bool = True) -> None:
        self.tokens.adopt(self.tokens.ask(BODY), "https://books.example.com", remember=remember)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.sign_in()
    return made


def ask(tokens: Tokens) -> str:
    return tokens.run(lambda token: token)


def test_a_token_is_used_until_six_to_eight_tenths_of_its_life_and_then_refreshed(bench: Bench) -> None:
    bench.now = 300 * 0.6 - 1
    assert ask(bench.tokens) == "access 0"
    bench.now = 300 * 0.6
    assert ask(bench.tokens) == "access 1"
    assert bench.heard == ["2026-11-23T00:00:09Z"]


def test_the_moment_of_a_refresh_is_drawn_between_its_bounds() -> None:
    bench, asked = Bench(), []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    vault = Vault(lambda: "device-1", lambda: None)
    tokens = Tokens(bench.client, vault, lambda: bench.now, draw)  # type: ignore[arg-type]
    tokens.adopt(SIGNED_IN, "", remember=False)
    bench.now = 300 * 0.8 - 1
    assert ask(tokens) == "access 0"
    bench.now = 300 * 0.8
    assert ask(tokens) == "access 1"
    assert asked == [(0.6, 0.8)] * 2


def test_the_refresh_id_is_in_the_keyring_before_anything_is_sent(bench: Bench) -> None:
    bench.now = 200
    ask(bench.tokens)
    kept = json.loads(bench.client.in_keyring_when_asked[0])
    assert (kept["refresh_token"], kept["refresh_id"]) == bench.client.asked[0]


def test_a_lost_answer_is_asked_for_again_with_the_same_refresh_id(bench: Bench) -> None:
    bench.client.trouble = [OfflineError(), OfflineError()]
    bench.now = 200
    for _ in range(2):
        with pytest.raises(OfflineError):
            ask(bench.tokens)
    assert ask(bench.tokens) == "access 1"
    assert len(set(bench.client.asked)) == 1


def test_a_crash_in_the_middle_of_a_refresh_is_survived(bench: Bench) -> None:
    bench.client.trouble = [OfflineError()]
    bench.now = 200
    with pytest.raises(OfflineError):
        ask(bench.tokens)
    after = bench.start()
    assert ask(after) == "access 1"
    bench.now += 200
    assert ask(after) == "access 2"
    assert [token for token, _ in bench.client.asked] == ["refresh 0", "refresh 0", "refresh 1"]


def test_each_generation_has_a_refresh_id_of_its_own(bench: Bench) -> None:
    for _ in range(4):
        bench.now += 200
        ask(bench.tokens)
    assert len({refresh_id for _, refresh_id in bench.client.asked}) == 4


def test_a_refused_refresh_ends_the_session_here_too(bench: Bench) -> None:
    bench.client.trouble = [SignInError("Please sign in again.", code=ErrorCode.UNAUTHENTICATED)]
    bench.now = 200
    for _ in range(2):
        with pytest.raises(SignInError):
            ask(bench.tokens)
    assert len(bench.client.asked) == 1
    assert bench.keyring.kept == {}


def test_two_calls_never_refresh_at_once(bench: Bench) -> None:
    bench.now = 200
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ask(bench.tokens))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["access 1"] * 8
    assert len(bench.client.asked) == 1


def test_a_call_that_is_refused_is_made_once_more_with_a_fresh_token(bench: Bench) -> None:
    def call(token: str) -> str:
        if token == "access 0":
            raise SignInError("Please sign in again.", code=ErrorCode.UNAUTHENTICATED)
        return token

    assert bench.tokens.run(call) == "access 1"


def test_a_session_that_is_not_remembered_leaves_nothing_for_the_next_start() -> None:
    bench = Bench()
    bench.sign_in(remember=False)
    bench.now = 200
    assert ask(bench.tokens) == "access 1"
    assert bench.keyring.kept == {}
    assert bench.start().remembered() is None


def test_forgetting_returns_the_token_to_log_out_with(bench: Bench) -> None:
    assert bench.tokens.forget() == "refresh 0"
    assert bench.tokens.forget() == ""
    with pytest.raises(SignInError):
        ask(bench.tokens)


def test_the_record_names_the_lock_and_the_book(bench: Bench) -> None:
    record = bench.tokens.remembered()
    assert isinstance(record, TokenRecord)
    assert (record.server, record.lock, record.book_id) == (
        "https://books.example.com",
        "in-mum-1/0",
        "book-1",
    )
