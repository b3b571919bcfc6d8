"""The words that house order replaced, and the modules in which one of them still has a sense of its own."""

from typing import Final, NamedTuple

FORBIDDEN: Final = {
    # replication
    *("following", "kick", "hurry", "whereabouts", "places", "place", "truth", "fence", "fences", "held"),
    *("copying", "watching", "retained"),
    # sessions, pins and log-in
    *("stay", "stays", "staying", "lock", "locks", "locked", "entrance", "door", "doors", "beside"),
    *("scout", "scouting", "hearing", "gate", "identify", "pinning", "leaving"),
    # servers
    *("beating", "asking", "asker", "operator", "keyring", "link", "links", "patience", "describes", "watch"),
}
"""In the name of anything, and in the event of a log message."""

FORBIDDEN_AS: Final = {"module": {"joining", "wanted", "words", "drops"}}
"""In names of one kind only: elsewhere these are plain English."""


class Allowed(NamedTuple):
    """`words` in a sense of their own, for a reason, in these modules."""

    words: tuple[str, ...]
    reason: str
    modules: tuple[str, ...]


ALLOWED: Final[tuple[Allowed, ...]] = ()
