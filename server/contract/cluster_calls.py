"""What clients, servers and discovery say of the cluster itself, and of where changes are."""

from typing import Literal

from server.contract.shapes import Answer, Request

# --- the cluster --------------------------------------------------------------------------------


class Closest(Answer, frozen=True):
    """Whoever the central URL reached."""

    server_id: str
    region: str
    server_time: str


class Servers(Answer, frozen=True):
    """The signed roster, and the signed directory as last heard ("" where there is none); see `cluster`."""

    roster: str
    directory: str = ""


class HeartbeatRequest(Request, frozen=True):
    """A signed Heartbeat (`cluster`)."""

    heartbeat: str


class HeartbeatTaken(Answer, frozen=True):
    """Discovery took it; a server that knows an older roster asks for the newer one."""

    roster_version: int
    server_time: str


class ServerStateAnswer(Answer, frozen=True):
    """The state of one server, and the signed directory that says so."""

    state: str
    directory: str


class SuspicionRequest(Request, frozen=True):
    """A client's report that a server does not answer: discovery looks for itself."""

    reason: Literal["refused", "silent", "unavailable"]


class SuspicionTaken(Answer, frozen=True):
    """Noted; `state` is what discovery held of that server when the report came."""

    state: str


# --- where it is --------------------------------------------------------------------------------


class SyncStatusRequest(Request, frozen=True):
    """Asks where these operations of the caller's book are; at most `limits.MAX_SYNC_OPERATIONS`."""

    op_ids: list[str]


class OperationStatus(Answer, frozen=True):
    """`row_in` are the regions whose database has the operation, `bytes_in` those whose store has every bill
    that it brings; only what was looked up just now is named."""

    op_id: str
    row_in: list[str]
    bytes_in: list[str]


class SyncStatus(Answer, frozen=True):
    """One status an operation, in the order asked; `regions` are those of the roster, `silent` those of them
    that did not answer."""

    operations: list[OperationStatus]
    regions: list[str]
    silent: list[str]
