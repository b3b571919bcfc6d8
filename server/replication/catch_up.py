"""Waits until everything that was written before now has been replicated."""

import time
from collections.abc import Sequence
from typing import Final

from server.replication import names
from server.replication.node import Node

CATCH_UP_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.05


def wait_until_caught_up(
    pairs: Sequence[tuple[Node, Node]], seconds: float = CATCH_UP_SECONDS
) -> list[tuple[Node, Node]]:
    """Return the pairs (publisher, subscriber) that did not catch up within `seconds`.

    A pair without a slot, or with a disabled subscription, is not waited for.
    """
    # A marker is written to the log of each publisher. Everything committed before it has a lower position,
    # and the slot confirms a position once the subscriber has everything up to it on disk.
    markers = {publisher.code: publisher.value("write_marker") for publisher, _ in pairs}
    waiting = list(pairs)
    halted = [pair for pair in pairs if not (_has_slot(*pair) and _is_enabled(*pair))]
    deadline = time.monotonic() + seconds
    while True:
        waiting = [p for p in waiting if p not in halted and not _has_passed(*p, markers[p[0].code])]
        if not waiting or time.monotonic() > deadline:
            return [*halted, *waiting]
        time.sleep(_PAUSE_SECONDS)


def _has_slot(publisher: Node, subscriber: Node) -> bool:
    found = publisher.rows("slot", {"slot": names.pair(publisher.code, subscriber.code)})
    return bool(found) and found[0][0] != "lost"


def _is_enabled(publisher: Node, subscriber: Node) -> bool:
    found = subscriber.rows("subscription", {"subscription": names.subscription(publisher.code)})
    return bool(found) and bool(found[0][0])


def _has_passed(publisher: Node, subscriber: Node, marker: str) -> bool:
    slot = names.pair(publisher.code, subscriber.code)
    # The first copy of a table does not advance the slot of the subscription, so it is checked separately.
    is_copying = subscriber.rows("copying", {"subscription": names.subscription(publisher.code)})
    return not is_copying and bool(publisher.value("has_passed", {"slot": slot, "lsn": marker}))
