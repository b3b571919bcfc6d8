"""The messages about the cluster itself, and about the replication status of operations."""

from typing import Literal

from server.contract.shapes import Answer, Request

# --- the cluster --------------------------------------------------------------------------------


class Closest(Answer, frozen=True):
    """The server that the central URL led to."""

    server_id: str
    region: str
    server_time: str


class Servers(Answer, frozen=True):
    """The signed roster, and the newest signed directory that the server has ("" if it has none).

    `contact` is the operator's text about whom to ask for help, or "". It is not signed.
    """

    roster: str
    directory: str = ""
    contact: str = ""


class HeartbeatRequest(Request, frozen=True):
    """A signed `server.contract.cluster.Heartbeat`."""

    heartbeat: str


class HeartbeatTaken(Answer, frozen=True):
    """The heartbeat was accepted. A sender with a roster older than `roster_version` fetches that one."""

    roster_version: int
    server_time: str


class ServerStateAnswer(Answer, frozen=True):
    """The state of one server, and the signed directory that it was read from."""

    state: str
    directory: str


class SuspicionRequest(Request, frozen=True):
    """A client's report that a server does not answer. Discovery then probes that server itself."""

    reason: Literal["refused", "silent", "unavailable"]


class SuspicionTaken(Answer, frozen=True):
    """The report was noted. `state` is the state in which discovery saw the server when the report came."""

    state: str


# --- replication status -------------------------------------------------------------------------


class SyncStatusRequest(Request, frozen=True):
    """Asks for the replication status of operations of the caller's book, `MAX_SYNC_OPERATIONS` at most."""

    op_ids: list[str]


class OperationStatus(Answer, frozen=True):
    """The replication status of one operation.

    `row_in` lists the regions whose database has the operation. `bytes_in` lists the regions whose document
    store has every bill of the operation. Both list only what this call looked up.
    """

    op_id: str
    row_in: list[str]
    bytes_in: list[str]


class SyncStatus(Answer, frozen=True):
    """One status for each operation, in the order of the request.

    `regions` lists the regions of the roster, `silent` those of them that did not answer.
    """

    operations: list[OperationStatus]
    regions: list[str]
    silent: list[str]
