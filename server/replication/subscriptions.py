"""One link: what is written at the publisher itself goes to the subscriber. Made, looked at, and taken away.

Its parts are a role and a slot at the publisher, and last of all a subscription at the subscriber: where that
stands with its tables, the rest was made.
"""

import contextlib
import time
from collections.abc import Collection
from typing import Final, LiteralString

from psycopg import sql

from server.errors import StartError
from server.replication import names, roles
from server.replication.node import Node, RegionError, told

_DROP_SECONDS: Final = 75.0  # wal_sender_timeout is 60 s
_PAUSE_SECONDS: Final = 0.1
_LOST: Final = "lost"


def publish(node: Node) -> None:
    """Publish the inserts of what is replicated; right where it was done before."""
    tables = sorted(table.name for table in names.REPLICATED)
    parts = {
        "publication": sql.Identifier(names.PUBLICATION),
        "tables": sql.SQL(", ").join(sql.Identifier("public", name) for name in tables),
    }
    values = {"publication": names.PUBLICATION}
    found = node.value("publication", values)
    if found is None:
        node.run(_PUBLISH, **parts)
    elif not found:
        raise StartError(
            f"{node.code}: its publication {names.PUBLICATION} is not of inserts alone: drop it, then join."
        )
    elif [name for (name,) in node.rows("published", values)] != tables:
        node.run(_PUBLISH_THESE, **parts)


def is_whole(publisher: Node, subscriber: Node) -> bool:
    """Say whether nothing of the link is missing or lost."""
    role = names.pair(publisher.code, subscriber.code)
    slot = publisher.rows("slot", {"slot": role})
    if not slot or slot[0][0] == _LOST or not publisher.rows("role", {"role": role}):
        return False
    return any(tables for _enabled, tables in _subscription(publisher, subscriber))


def make(publisher: Node, subscriber: Node) -> bool:
    """Make what is missing of the link; return whether anything was. All that is there is copied first."""
    if is_whole(publisher, subscriber):
        _go_on(publisher, subscriber)
        return False
    drop(publisher, subscriber)
    slot = names.pair(publisher.code, subscriber.code)
    password = roles.give_peer(publisher, slot)
    connection = publisher.region.for_peer(slot, password)
    try:
        publisher.rows("make_slot", {"slot": slot})
        _subscribe(subscriber, publisher.code, slot, connection)
    except RegionError as error:
        drop(publisher, subscriber)  # a slot that nobody reads keeps the log of changes for ever
        hidden = str(error).replace(connection, "…").replace(password, "***")
        raise StartError(f"{publisher.code} → {subscriber.code}: {hidden}") from None
    return True


def drop(publisher: Node, subscriber: Node) -> bool:
    """Take away what there is of a link; return whether there was a subscription."""
    there = drop_subscription(subscriber, publisher.code)
    drop_slot(publisher, subscriber.code)
    return there


def drop_subscription(subscriber: Node, publisher: str) -> bool:
    """Receive nothing from `publisher` any more, alive or not; return whether there was a subscription."""
    name = names.subscription(publisher)
    if not subscriber.rows("subscription", {"subscription": name}):
        return False
    parts = {"subscription": sql.Identifier(name)}
    # Without its slot's name nothing needs the publisher; the slot is dropped by itself.
    for statement in (_DISABLE, _FORGET_SLOT, _UNSUBSCRIBE):
        subscriber.run(statement, **parts)
    return True


def drop_slot(publisher: Node, subscriber: str) -> None:
    """Keep nothing for `subscriber` any more, and let it in no more."""
    slot = names.pair(publisher.code, subscriber)
    deadline = time.monotonic() + _DROP_SECONDS
    while found := publisher.rows("slot", {"slot": slot}):
        _status, active, _pid = found[0]
        try:
            if not active:
                publisher.rows("drop_slot", {"slot": slot})
                break
            with contextlib.suppress(RegionError):  # not every administrator may; it ends by itself then
                publisher.rows("end_sender", {"slot": slot})
        except RegionError:  # taken again between the look and the drop
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise StartError(
                f"{publisher.code}: the slot {slot} is still in use; end that connection, try again."
            )
        time.sleep(_PAUSE_SECONDS)
    roles.drop_peer(publisher, slot)


def drop_orphans(node: Node, known: Collection[str]) -> None:
    """Drop the slots of first copies that a PostgreSQL not `known` (by system identifier) never ended."""
    for slot, system in node.rows("copy_slots"):
        if system not in known:
            node.rows("drop_slot", {"slot": slot})


def unpublish(node: Node) -> None:
    """Publish nothing any more."""
    node.run(_UNPUBLISH, publication=sql.Identifier(names.PUBLICATION))


def _subscription(publisher: Node, subscriber: Node) -> list[tuple[bool, list[str]]]:
    found: list[tuple[bool, list[str]]] = subscriber.rows(
        "subscription", {"subscription": names.subscription(publisher.code)}
    )
    return found


def _go_on(publisher: Node, subscriber: Node) -> None:
    """Enable a link that was halted, and let it carry tables that came later."""
    name = names.subscription(publisher.code)
    parts = {"subscription": sql.Identifier(name)}
    ((enabled, tables),) = _subscription(publisher, subscriber)
    _own(subscriber, name)
    if not enabled:
        subscriber.run(_ENABLE, **parts)
    if tables != sorted(table.name for table in names.REPLICATED):
        subscriber.run(_REFRESH, **parts)


def _subscribe(subscriber: Node, publisher: str, slot: str, connection: str) -> None:
    """Subscribe without a connection, give it the true one where no log sees it, and only then begin."""
    name = names.subscription(publisher)
    parts = {"subscription": sql.Identifier(name)}
    subscriber.run(_SUBSCRIBE, publication=sql.Identifier(names.PUBLICATION), slot=sql.Literal(slot), **parts)
    _quieten(subscriber)
    subscriber.rows("hand_over", {"connection": connection})
    try:
        subscriber.rows("connect", subscription=sql.Literal(name))
    finally:
        subscriber.rows("hand_over", {"connection": ""})
    _own(subscriber, name)
    subscriber.run(_ENABLE, **parts)
    subscriber.run(_REFRESH, **parts)


def _own(subscriber: Node, subscription: str) -> None:
    parts = {"subscription": sql.Identifier(subscription), "role": sql.Identifier(names.APPLY)}
    subscriber.run(_OWN, **parts)


def _quieten(node: Node) -> None:
    """Keep values out of this session's logs where that is allowed; where it is needed and is not, the
    preflight has refused."""
    for statement in _QUIET:
        with contextlib.suppress(RegionError), told(node.region):
            node.connection.execute(statement)


_PUBLISH: Final[LiteralString] = (
    "create publication {publication} for table {tables} with (publish = 'insert')"
)
_PUBLISH_THESE: Final[LiteralString] = "alter publication {publication} set table {tables}"
_UNPUBLISH: Final[LiteralString] = "drop publication if exists {publication}"
_ENABLE: Final[LiteralString] = "alter subscription {subscription} enable"
_DISABLE: Final[LiteralString] = "alter subscription {subscription} disable"
_REFRESH: Final[LiteralString] = "alter subscription {subscription} refresh publication"
_FORGET_SLOT: Final[LiteralString] = "alter subscription {subscription} set (slot_name = none)"
_UNSUBSCRIBE: Final[LiteralString] = "drop subscription {subscription}"
_SUBSCRIBE: Final[LiteralString] = (
    "create subscription {subscription} connection 'password=none-yet' publication {publication} "
    "with (connect = false, slot_name = {slot}, origin = none, streaming = on, disable_on_error = false, "
    "run_as_owner = true)"
)
_OWN: Final[LiteralString] = "alter subscription {subscription} owner to {role}"
_QUIET: Final[tuple[LiteralString, ...]] = (
    "set log_statement = none",
    "set log_min_duration_statement = -1",
    "set log_min_duration_sample = -1",
    "set log_transaction_sample_rate = 0",
)
