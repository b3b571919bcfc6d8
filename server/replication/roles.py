"""Who may read what is published, and as whom it is written: roles with no right that they do not need."""

import secrets
from typing import Final, LiteralString

from psycopg import sql

from server.replication import names
from server.replication.node import Node, told

_SECRET_BYTES: Final = 32


def prepare_publisher(node: Node) -> None:
    """Let the group of peers read what is published, and nothing else."""
    _make_role(node, names.GROUP)
    node.run(_READ, tables=_tables([table.name for table in names.REPLICATED]), role=_id(names.GROUP))


def prepare_subscriber(node: Node) -> None:
    """Make the role that writes what arrives: it adds rows, and changes those that are merged.

    PostgreSQL's workers must be able to log in as it; without a password nobody else can. Tables that a later
    migration brings are its too, so that an update stops nothing.
    """
    _make_role(node, names.APPLY)
    role = _id(names.APPLY)
    merged = [name for (name,) in node.rows("merged_tables")]
    node.run(_WORK, role=role)
    node.run(_BECOME, role=role)
    node.run(_ENTER, role=role)
    node.run(_ADD, role=role)
    node.run(_CHANGE, tables=_tables(merged), role=role)
    node.run(_LATER, owner=_id(node.value("owner")), role=role)


def give_peer(node: Node, role: str) -> str:
    """Make, or give another password to, the role of one peer; return the password.

    Only its SCRAM verifier, computed here, is sent: the password is in no statement and no log.
    """
    password = secrets.token_urlsafe(_SECRET_BYTES)
    with told(node.region):
        verifier = node.connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
    _make_role(node, role)
    node.run(_LOGIN, role=_id(role), verifier=sql.Literal(verifier))
    if node.rows("role", {"role": _RDS}):  # where nobody may have the attribute itself
        node.run(_GRANT, group=_id(_RDS), role=_id(role))
    else:
        node.run(_REPLICATE, role=_id(role))
    node.run(_GRANT, group=_id(names.GROUP), role=_id(role))
    return password


def drop_peer(node: Node, role: str) -> None:
    """Take a peer's role away, where there is one."""
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
