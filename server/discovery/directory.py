"""The signed directory: made anew when a state has changed, else at most once a second."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.contract import cluster, signing
from server.contract.cluster import Directory, DirectoryServer, Liveness
from server.discovery.registry import Registry, ServerRecord
from server.tokens.tokens import Signer

_MS: Final = 1_000
FRESH_SECONDS: Final = 1.0
"""So old may the loads in it be."""


@dataclass(slots=True)
class Directories:
    """What one discovery server tells. `signer` gives the key of now, `roster_version` the roster in force,
    `clock` seconds since 1970."""

    discovery_id: str
    registry: Registry
    signer: Callable[[], Signer]
    roster_version: Callable[[], int]
    clock: Callable[[], float]
    _version: int = 0
    _text: str = ""
    _says: tuple[object, ...] = ()
    _made_at: float = 0.0

    def text(self, now: float) -> str:
        """Return the directory of `now` (s of the registry)."""
        states, doubting = self.registry.states(now), self.registry.self_preserving(now)
        says = (doubting, self.roster_version(), *_words(states))
        if says != self._says or now - self._made_at >= FRESH_SECONDS:
            self._text, self._says, self._made_at = self._signed(states, doubting), says, now
        return self._text

    def _signed(self, states: dict[str, ServerRecord], doubting: bool) -> str:
        issued = int(self.clock() * _MS)
        self._version = max(self._version + 1, issued)  # rises over restarts and a clock that was set back
        directory = Directory(
            discovery_id=self.discovery_id,
            version=self._version,
            issued_at_ms=issued,
            expires_at_ms=issued + cluster.DIRECTORY_SECONDS * _MS,
            roster_version=self.roster_version(),
            self_preservation=doubting,
            servers=[_line(id_, held) for id_, held in states.items()],
        )
        signer = self.signer()
        return signing.sign(signer.key, signer.kid, cluster.DIRECTORY, directory)


def _words(states: dict[str, ServerRecord]) -> list[tuple[str, Liveness, float]]:
    return [(id_, held.state, held.since) for id_, held in states.items()]


def _line(id_: str, held: ServerRecord) -> DirectoryServer:
    return DirectoryServer(id_, held.state, int(held.since * _MS), held.load, held.version)
