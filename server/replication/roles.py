"""The roles that read published tables and write replicated rows. They have only the rights they need."""

import secrets
from typing import Final, LiteralString

from psycopg import sql

from server.replication import names
from server.replication.node import Node, errors_as_sentences

_SECRET_BYTES: Final = 32


def prepare_publisher(node: Node) -> None:
    """Create the group role that may read the published tables, and nothing else."""
    _make_role(node, names.GROUP)
    node.run(_READ, tables=_tables([table.name for table in names.REPLICATED]), role=_id(names.GROUP))


def prepare_subscriber(node: Node) -> None:
    """Create the role that writes replicated rows. It may insert rows, and update merged tables."""
    # PostgreSQL's workers must be able to log in as this role. Nobody else can, because it has no password.
    _make_role(node, names.APPLY)
    role = _id(names.APPLY)
    merged = [name for (name,) in node.rows("merged_tables")]
    node.run(_WORK, role=role)
    node.run(_BECOME, role=role)
    node.run(_ENTER, role=role)
    node.run(_ADD, role=role)
    node.run(_CHANGE, tables=_tables(merged), role=role)
    # It gets the same rights on tables that a later migration creates, so that replication does not stop
    # then.
    node.run(_LATER, owner=_id(node.value("owner")), role=role)


def give_peer(node: Node, role: str) -> str:
    """Create the role of one peer, or change its password; return the password."""
    # Only the SCRAM verifier is sent, so the password appears in no statement and no log.
    password = secrets.token_urlsafe(_SECRET_BYTES)
    with errors_as_sentences(node.region):
        verifier = node.connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
    _make_role(node, role)
    node.run(_LOGIN, role=_id(role), verifier=sql.Literal(verifier))
    # On Amazon RDS no user can have the attribute REPLICATION; it has a group role instead.
    if node.rows("role", {"role": _RDS}):
        node.run(_GRANT, group=_id(_RDS), role=_id(role))
    else:
        node.run(_REPLICATE, role=_id(role))
    node.run(_GRANT, group=_id(names.GROUP), role=_id(role))
    return password


def drop_peer(node: Node, role: str) -> None:
    """Drop the role of a peer, if it exists."""
    node.run(_DROP, role=_id(role))


def _make_role(node: Node, role: str) -> None:
    if not node.rows("role", {"role": role}):
        node.run(_CREATE, role=_id(role))


def _id(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _tables(found: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier("public", name) for name in found)


_RDS: Final = "rds_replication"
_CREATE: Final[LiteralString] = "create role {role} nologin"
_LOGIN: Final[LiteralString] = "alter role {role} login password {verifier}"
_REPLICATE: Final[LiteralString] = "alter role {role} replication"
_DROP: Final[LiteralString] = "drop role if exists {role}"
_WORK: Final[LiteralString] = "alter role {role} login password null"
_GRANT: Final[LiteralString] = "grant {group} to {role}"
_READ: Final[LiteralString] = "grant select on {tables} to {role}"
_BECOME: Final[LiteralString] = "grant {role} to current_user with inherit true, set true"
_ENTER: Final[LiteralString] = "grant usage on schema public to {role}"
_ADD: Final[LiteralString] = "grant select, insert on all tables in schema public to {role}"
_CHANGE: Final[LiteralString] = "grant update on {tables} to {role}"
_LATER: Final[LiteralString] = (
    "alter default privileges for role {owner} in schema public "
    "grant select, insert, update on tables to {role}"
)
