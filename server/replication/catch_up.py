"""Waiting until what was written before this moment has come over every link."""

import time
from collections.abc import Sequence
from typing import Final

from server.replication import names
from server.replication.node import Node

CATCH_UP_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.05


def wait_until_caught_up(
    links: Sequence[tuple[Node, Node]], seconds: float = CATCH_UP_SECONDS
) -> list[tuple[Node, Node]]:
    """Return the links (publisher, subscriber) that did not carry all in time; at once where one has no slot
    or is disabled.

    A mark is written at each publisher; what was committed there before it has lower positions in its log,
    and a slot is confirmed up to a position once the subscriber has that on its disk.
    """
    marks = {publisher.code: publisher.value("fence") for publisher, _ in links}
    left = list(links)
    hopeless = [link for link in links if not (_slot(*link) and _is_enabled(*link))]
    deadline = time.monotonic() + seconds
    while True:
        left = [link for link in left if link not in hopeless and not _has_passed(*link, marks[link[0].code])]
        if not left or time.monotonic() > deadline:
            return [*hopeless, *left]
        time.sleep(_PAUSE_SECONDS)


def _slot(publisher: Node, subscriber: Node) -> bool:
    found = publisher.rows("slot", {"slot": names.pair(publisher.code, subscriber.code)})
    return bool(found) and found[0][0] != "lost"


def _is_enabled(publisher: Node, subscriber: Node) -> bool:
    found = subscriber.rows("subscription", {"subscription": names.subscription(publisher.code)})
    return bool(found) and bool(found[0][0])


def _has_passed(publisher: Node, subscriber: Node, mark: str) -> bool:
    slot = names.pair(publisher.code, subscriber.code)
    copying = subscriber.rows("copying", {"subscription": names.subscription(publisher.code)})
    return not copying and bool(publisher.value("has_passed", {"slot": slot, "lsn": mark}))
