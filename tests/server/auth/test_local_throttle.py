"""The waits for a book on its owner's computer, with a clock of the test's own."""

from server.auth.local_throttle import LONGEST_WAIT, LocalThrottle
from server.auth.throttle import Attempt

ANY = Attempt(b"asha")


def test_nobody_can_keep_the_owner_out_for_longer_than_the_longest_wait() -> None:
    throttle, now = LocalThrottle(), 1_000.0
    for _ in range(10_000):  # as fast as anybody can
        throttle.admit(ANY, now)
        now += 0.01
    assert throttle.wait(ANY, now) <= LONGEST_WAIT
    assert throttle.admit(ANY, now + LONGEST_WAIT) == 0


def test_a_guesser_has_a_few_hundred_attempts_an_hour_at_most() -> None:
    throttle, through = LocalThrottle(), 0
    for second in range(3_600):
        through += throttle.admit(ANY, float(second)) == 0
    assert through < 370


def test_a_clock_that_is_set_back_lengthens_no_wait() -> None:
    throttle = LocalThrottle()
    for _ in range(3):
        throttle.admit(ANY, 1e9)
        throttle.admit(ANY, 1e9 + 20)
    assert throttle.wait(ANY, 5.0) <= LONGEST_WAIT
    assert throttle.admit(ANY, 5.0 + LONGEST_WAIT) == 0


def test_mistakes_of_earlier_are_forgotten() -> None:
    throttle = LocalThrottle()
    for number in range(6):
        throttle.admit(ANY, 100.0 * number)
    assert throttle.admit(ANY, 5_000.0) == 0
    assert throttle.wait(ANY, 5_000.0) == 0
