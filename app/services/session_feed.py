"""Passes on the events of a session while it is the open one."""

from collections.abc import Callable

from app.domain.session import Machine
from app.domain.stream import Stream
from app.domain.sync_events import MachineChanged, ReplayWanted, SessionChange


class SessionFeed:
    """The listener of a session runner. It drops the events of a session that is only pending."""

    def __init__(self, primary_changed: Callable[[str], None], changes: Stream[SessionChange]) -> None:
        self._primary_changed = primary_changed
        self._changes = changes
        self.is_open = False

    def machine_changed(self, machine: Machine) -> None:
        """Publish the state of the machine."""
        if self.is_open:
            self._changes.publish(MachineChanged(machine))

    def primary_changed(self, server_id: str) -> None:
        """Pin the open session to another server."""
        if self.is_open:
            self._primary_changed(server_id)

    def replay_wanted(self) -> None:
        """Publish that the outbox must be sent to the new server."""
        if self.is_open:
            self._changes.publish(ReplayWanted())
