"""The throttle, with a clock of the test's own."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth.throttle import ADDRESS, KNOWN_DEVICE, STRANGERS, Attempt, Throttle, address_key

HOUR = 3_600.0
LIMIT = 100


def guess(address: str = "192.0.2.1", account: bytes = b"asha") -> Attempt:
    return Attempt(account, address)


def own(device: bytes = b"laptop", account: bytes = b"asha") -> Attempt:
    return Attempt(account, "192.0.2.1", device)


def admitted(throttle: Throttle, attempts: list[Attempt], now: float = 0.0) -> int:
    return sum(throttle.admit(attempt, now) == 0 for attempt in attempts)


def test_guessing_from_many_addresses_stays_under_the_limit_in_every_hour() -> None:
    throttle = Throttle()
    passed = []
    for second in range(0, 3 * 3600, 2):
        address = f"198.51.{second % 100}.{second % 250}"
        if throttle.admit(guess(address), float(second)) == 0:
            passed.append(second)
    assert len(passed) > STRANGERS.burst  # it does let go again
    worst = max(sum(start <= at < start + HOUR for at in passed) for start in passed)
    assert worst < LIMIT
    assert worst <= STRANGERS.burst + STRANGERS.hourly


def test_a_known_device_can_log_in_however_often_others_guess() -> None:
    throttle = Throttle()
    for second in range(3600):
        throttle.admit(guess(f"198.51.100.{second % 250}"), second)
        if second % 60 == 0:
            assert throttle.admit(own(), second) == 0
            throttle.succeeded(own(), second)


def test_guessing_from_the_owners_address_does_not_block_a_known_device() -> None:
    throttle = Throttle()
    admitted(throttle, [guess("192.0.2.1", bytes([n])) for n in range(200)])
    assert throttle.admit(guess("192.0.2.1", b"somebody"), 0) > 0
    assert throttle.admit(own(), 0) == 0


def test_a_log_in_of_the_owner_gives_others_no_new_attempts() -> None:
    throttle = Throttle()
    passed = 0
    for minute in range(60):
        passed += admitted(throttle, [guess(f"198.51.100.{n}") for n in range(50)], minute * 60.0)
        throttle.admit(own(), minute * 60.0)
        throttle.succeeded(own(), minute * 60.0)
    assert passed <= STRANGERS.burst + STRANGERS.hourly


def test_failures_for_one_account_are_limited_even_with_stolen_device_secrets() -> None:
    throttle = Throttle()
    attempts = [guess(f"198.51.100.{n}") for n in range(50)] + [own(bytes([n])) for n in range(50)]
    passed = sum(admitted(throttle, attempts, minute * 60.0) for minute in range(60))
    assert passed < LIMIT


def test_the_servers_of_a_cluster_share_the_limit() -> None:
    for servers in (2, 4, 16):
        cluster = [Throttle(servers) for _ in range(servers)]
        attempts = [guess(f"198.51.100.{n}") for n in range(25)] + [own(bytes([n])) for n in range(25)]
        passed = sum(
            admitted(throttle, attempts, minute * 60.0) for minute in range(60) for throttle in cluster
        )
        assert passed < LIMIT


def test_simultaneous_attempts_are_limited_like_consecutive_ones() -> None:
    throttle = Throttle()
    assert admitted(throttle, [guess(f"198.51.{n // 250}.{n % 250}") for n in range(1000)]) == STRANGERS.burst


def test_the_next_attempt_is_admitted_exactly_after_the_time_to_wait() -> None:
    throttle = Throttle()
    admitted(throttle, [guess()] * 100)
    wait = throttle.admit(guess(), 0.0)
    assert wait == pytest.approx(HOUR / STRANGERS.hourly)
    assert throttle.admit(guess(), wait - 1) > 0
    assert throttle.admit(guess(), wait) == 0


def test_a_success_clears_the_failures_of_its_device() -> None:
    throttle = Throttle()
    assert admitted(throttle, [own()] * 5) == 5
    throttle.succeeded(own(), 0.0)
    assert admitted(throttle, [own()] * 50) == KNOWN_DEVICE.burst


def test_a_correct_password_from_an_unknown_device_uses_up_nothing() -> None:
    throttle = Throttle()
    for _ in range(1000):
        assert throttle.admit(guess(), 0.0) == 0
        throttle.succeeded(guess(), 0.0)
    assert len(throttle) == 0


def test_one_address_that_tries_many_names_is_stopped() -> None:
    throttle = Throttle()
    attempts = [guess("192.0.2.1", n.to_bytes(4, "big")) for n in range(1000)]
    assert admitted(throttle, attempts) == ADDRESS.burst
    assert throttle.admit(guess("192.0.2.2", b"other"), 0.0) == 0


def test_a_refused_attempt_is_not_counted() -> None:
    throttle = Throttle()
    admitted(throttle, [guess("192.0.2.1", n.to_bytes(4, "big")) for n in range(1000)])
    assert admitted(throttle, [guess("192.0.2.9", (900).to_bytes(4, "big"))] * 100) == STRANGERS.burst


def test_memory_is_bounded_and_a_flood_of_names_does_not_evict_a_throttled_account() -> None:
    throttle = Throttle(max_keys=1_000)
    admitted(throttle, [guess("", b"asha")] * 100)
    for number in range(20_000):
        throttle.admit(guess("", b"flood %d" % number), number / 1_000)
    assert len(throttle) <= 1_000
    assert throttle.admit(guess("", b"asha"), 21.0) > 0


def test_a_clock_that_is_set_back_blocks_nobody_for_longer() -> None:
    throttle = Throttle()
    admitted(throttle, [guess()] * 100, 100_000.0)
    assert throttle.admit(guess(), 0.0) <= HOUR / STRANGERS.hourly
    assert throttle.admit(guess(), HOUR / STRANGERS.hourly) == 0


@given(st.integers(0, 2**32), st.integers(1, 16))
def test_no_order_of_attempts_exceeds_the_limit_of_an_account(seed: int, servers: int) -> None:
    draw = random.Random(seed)
    cluster = [Throttle(servers) for _ in range(servers)]
    passed, now = [], 0.0
    for _ in range(400):
        now += draw.choice([0.0, 0.1, 20.0, 90.0])
        attempt = draw.choice([guess(f"192.0.2.{draw.randrange(99)}"), own(bytes([draw.randrange(20)]))])
        if draw.choice(cluster).admit(attempt, now) == 0:
            passed.append(now)
    assert all(sum(at <= other < at + HOUR for other in passed) < LIMIT for at in passed)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        (None, ""),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("not an address" * 20, ""),
    ],
)
def test_an_address_is_counted_by_its_customer_and_loopback_is_not(host: str | None, key: str) -> None:
    assert address_key(host) == key


def test_another_number_of_servers_changes_the_limit_but_keeps_the_counts() -> None:
    throttle = Throttle(4)
    assert admitted(throttle, [guess()] * 100) == 5
    throttle.share_by(2)
    assert admitted(throttle, [guess()] * 100) == 5
    throttle.share_by(4)
    assert admitted(throttle, [guess()] * 100) == 0
