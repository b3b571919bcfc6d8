"""The number of Hypothesis examples of a test: few in the profile `quick`, all in `thorough`."""

from typing import Final

from hypothesis import HealthCheck, settings

_QUICK: Final = "quick"
_FEWER: Final = 8
_LEAST: Final = 10


def register_profiles() -> None:
    """Register both profiles and load `quick`; pytest's `--hypothesis-profile` loads the other afterwards."""
    # A busy machine is no failure.
    settings.register_profile("thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile(_QUICK, settings.get_profile("thorough"), max_examples=100 // _FEWER)
    settings.load_profile(_QUICK)


def examples(count: int, quick: int = 0) -> int:
    """Return `count`; in the profile `quick` return `quick`, or if it is 0, an eighth but at least ten."""
    if settings.get_current_profile_name() != _QUICK:
        return count
    return quick or max(min(count, _LEAST), count // _FEWER)
