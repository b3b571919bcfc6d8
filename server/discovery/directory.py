"""The signed directory. It is signed again when a state has changed, otherwise at most once a second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.contract import cluster, signing
from server.contract.cluster import Directory, DirectoryServer, Liveness
from server.discovery.registry import Registry, ServerRecord
from server.tokens.tokens import Signer

_MS: Final = 1_000
# How old the load figures in a directory may be.
FRESH_SECONDS: Final = 1.0


@dataclass(slots=True)
class Directories:
    """Makes the directories of one discovery server.

    `signer` returns the key to sign with, `roster_version` the version of the roster in force, and `clock`
    seconds since 1970.
    """

    discovery_id: str
    registry: Registry
    signer: Callable[[], Signer]
    roster_version: Callable[[], int]
    clock: Callable[[], float]
    _version: int = 0
    _text: str = ""
    _content: tuple[object, ...] = ()
    _made_at: float = 0.0

    def text(self, now: float) -> str:
        """Return the signed directory at `now` (seconds on the registry's clock)."""
        states, doubting = self.registry.states(now), self.registry.self_preserving(now)
        content = (doubting, self.roster_version(), *_states_only(states))
        # Thousands of clients may ask in a second, and signing is the expensive part.
        if content != self._content or now - self._made_at >= FRESH_SECONDS:
            self._text, self._content, self._made_at = self._signed(states, doubting), content, now
        return self._text

    def _signed(self, states: dict[str, ServerRecord], doubting: bool) -> str:
        issued = int(self.clock() * _MS)
        # The time as version number keeps it rising across restarts; adding 1 does if the clock is set back.
        self._version = max(self._version + 1, issued)
        directory = Directory(
            discovery_id=self.discovery_id,
            version=self._version,
            issued_at_ms=issued,
            expires_at_ms=issued + cluster.DIRECTORY_SECONDS * _MS,
            roster_version=self.roster_version(),
            self_preservation=doubting,
            servers=[_line(id_, record) for id_, record in states.items()],
        )
        signer = self.signer()
        return signing.sign(signer.key, signer.kid, cluster.DIRECTORY, directory)


def _states_only(states: dict[str, ServerRecord]) -> list[tuple[str, Liveness, float]]:
    """Return the states without the loads, which change with every heartbeat."""
    return [(id_, record.state, record.since) for id_, record in states.items()]


def _line(id_: str, record: ServerRecord) -> DirectoryServer:
    return DirectoryServer(id_, record.state, int(record.since * _MS), record.load, record.version)
