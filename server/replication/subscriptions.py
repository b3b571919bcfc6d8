"""Creates, checks and drops the subscription of one region to another.

A subscription carries the rows that were written at the publisher itself, not those that the publisher
received. It consists of a role and a slot at the publisher, and the subscription proper at the subscriber.
The subscription is created last, so if it exists with its tables, the rest does too.
"""

import contextlib
import time
from collections.abc import Collection
from typing import Final, LiteralString

from psycopg import sql

from server.errors import StartError
from server.replication import names, roles
from server.replication.node import Node, RegionError, errors_as_sentences

# Longer than wal_sender_timeout (60 s), after which PostgreSQL ends a sender whose subscriber is gone.
_DROP_SECONDS: Final = 75.0
_PAUSE_SECONDS: Final = 0.1
_LOST: Final = "lost"


def publish(node: Node) -> None:
    """Create the publication of the replicated tables' inserts, or correct its tables.

    Raises StartError if there is a publication of this name that publishes more.
    """
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
            f"{node.code}: the publication {names.PUBLICATION} is not for inserts only: drop it, then join."
        )
    elif [name for (name,) in node.rows("published", values)] != tables:
        node.run(_PUBLISH_THESE, **parts)


def is_complete(publisher: Node, subscriber: Node) -> bool:
    """Return whether role, slot and subscription exist and the slot is not lost."""
    role = names.pair(publisher.code, subscriber.code)
    slot = publisher.rows("slot", {"slot": role})
    if not slot or slot[0][0] == _LOST or not publisher.rows("role", {"role": role}):
        return False
    return any(tables for _enabled, tables in _subscription(publisher, subscriber))


def ensure(publisher: Node, subscriber: Node) -> bool:
    """Create the subscription unless it is complete; return whether it was created.

    A new subscription begins with a first copy of all existing rows. Raises StartError.
    """
    if is_complete(publisher, subscriber):
        _resume(publisher, subscriber)
        return False
    drop(publisher, subscriber)
    slot = names.pair(publisher.code, subscriber.code)
    password = roles.give_peer(publisher, slot)
    connection = publisher.region.for_peer(slot, password)
    try:
        publisher.rows("make_slot", {"slot": slot})
        _subscribe(subscriber, publisher.code, slot, connection)
    except RegionError as error:
        # A slot that nobody reads would make the publisher keep its log for ever.
        drop(publisher, subscriber)
        redacted = str(error).replace(connection, "…").replace(password, "***")
        raise StartError(f"{publisher.code} → {subscriber.code}: {redacted}") from None
    return True


def drop(publisher: Node, subscriber: Node) -> bool:
    """Drop what exists of the subscription, slot and role; return whether there was a subscription."""
    existed = drop_subscription(subscriber, publisher.code)
    drop_slot(publisher, subscriber.code)
    return existed


def drop_subscription(subscriber: Node, publisher: str) -> bool:
    """Drop the subscription to `publisher`, which need not be reachable; return whether there was one."""
    name = names.subscription(publisher)
    if not subscriber.rows("subscription", {"subscription": name}):
        return False
    parts = {"subscription": sql.Identifier(name)}
    # A subscription without a slot name can be dropped without the publisher. `drop_slot` drops the slot.
    for statement in (_DISABLE, _FORGET_SLOT, _UNSUBSCRIBE):
        subscriber.run(statement, **parts)
    return True


def drop_slot(publisher: Node, subscriber: str) -> None:
    """Drop the slot and the role of `subscriber` at `publisher`, if they exist. Raises StartError."""
    slot = names.pair(publisher.code, subscriber)
    deadline = time.monotonic() + _DROP_SECONDS
    while found := publisher.rows("slot", {"slot": slot}):
        _status, active, _pid = found[0]
        try:
            if not active:
                publisher.rows("drop_slot", {"slot": slot})
                break
            # Not every administrator may end the sender. It then ends by wal_sender_timeout.
            with contextlib.suppress(RegionError):
                publisher.rows("end_sender", {"slot": slot})
        except RegionError:  # the subscriber connected again after the check
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise StartError(
                f"{publisher.code}: the slot {slot} is still in use; end its connection and try again."
            )
        time.sleep(_PAUSE_SECONDS)
    roles.drop_peer(publisher, slot)


def drop_orphans(node: Node, known: Collection[str]) -> None:
    """Drop slots that first copies of unknown systems left behind. `known` are system identifiers."""
    for slot, system in node.rows("copy_slots"):
        if system not in known:
            node.rows("drop_slot", {"slot": slot})


def unpublish(node: Node) -> None:
    """Drop the publication, if it exists."""
    node.run(_UNPUBLISH, publication=sql.Identifier(names.PUBLICATION))


def _subscription(publisher: Node, subscriber: Node) -> list[tuple[bool, list[str]]]:
    found: list[tuple[bool, list[str]]] = subscriber.rows(
        "subscription", {"subscription": names.subscription(publisher.code)}
    )
    return found


def _resume(publisher: Node, subscriber: Node) -> None:
    """Enable a subscription that is disabled, and add tables that a later migration published."""
    name = names.subscription(publisher.code)
    parts = {"subscription": sql.Identifier(name)}
    ((enabled, tables),) = _subscription(publisher, subscriber)
    _own(subscriber, name)
    if not enabled:
        subscriber.run(_ENABLE, **parts)
    if tables != sorted(table.name for table in names.REPLICATED):
        subscriber.run(_REFRESH, **parts)


def _subscribe(subscriber: Node, publisher: str, slot: str, connection: str) -> None:
    """Create and start the subscription at the subscriber."""
    # The connection string contains a password, and PostgreSQL may log statements. So the subscription is
    # created with a placeholder; the real connection string is passed as a parameter and set in a block.
    name = names.subscription(publisher)
    parts = {"subscription": sql.Identifier(name)}
    subscriber.run(_SUBSCRIBE, publication=sql.Identifier(names.PUBLICATION), slot=sql.Literal(slot), **parts)
    _silence_logs(subscriber)
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


def _silence_logs(node: Node) -> None:
    """Switch off the logging of statements in this session, if the user may."""
    # If the user may not and the server logs values, the preflight check has refused to go on.
    for statement in _QUIET:
        with contextlib.suppress(RegionError), errors_as_sentences(node.region):
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
