"""Every key that the cluster believes, by `kid`; this server's own are for signing too.

A token is believed by the key of the server that it names as its issuer, an invitation also by the
cluster's key. Who is not in the roster any more has no key here.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.cluster.membership import Membership
from server.contract import signing
from server.contract.cluster import PublicKey, RosterDiscovery, RosterServer
from server.contract.signing import SignatureError
from server.errors import StartError
from server.tokens.invites import AUDIENCE as INVITES
from server.tokens.tokens import Signer, TokenError, verified

_log = logging.getLogger(__name__)
CLUSTER: Final = "cluster"
"""The issuer of what the operator signs with the cluster's key."""


class _Key(NamedTuple):
    owner: str
    public: Ed25519PublicKey
    until: int


@dataclass(slots=True)
class TrustedKeys:
    """`own` gives this server's private keys, the next one last, asked again with each new roster; `retire`
    is called once the next one signs."""

    server_id: str
    membership: Membership
    own: Callable[[], Sequence[Signer]]
    retire: Callable[[], None] = lambda: None
    _signers: Sequence[Signer] = ()
    _last: Signer | None = None
    _keys: dict[str, _Key] = field(default_factory=dict)
    _cluster: tuple[str, Ed25519PublicKey] | None = None

    def __post_init__(self) -> None:
        self.reload()
        self.membership.changed.append(self.reload)

    def reload(self) -> None:
        """Read the keys of the roster, and this server's own."""
        roster = self.membership.roster
        try:
            self._signers = self.own()
        except StartError as error:  # found at its start too; it goes on with those that it has
            _log.error("own keys not read again", extra={"error": str(error)})
        self._keys = {kid: key for server in roster.servers for kid, key in _keys_of(server)}
        raw = signing.decode_key(roster.cluster_key)
        self._cluster = signing.key_id(raw), signing.load_key(raw)
        if signing_key(self._signers, roster.server(self.server_id), self._now()) is None:
            _log.error("no key of this server is in the roster")

    @property
    def signer(self) -> Signer:
        """The key that signs now: of those that the roster has, the newest that is in use."""
        server = self.membership.roster.server(self.server_id)
        found = signing_key(self._signers, server, self._now())
        if found and found is not self._signers[0]:
            self.retire()
            self._signers = [found]
        self._last = found or self._last or self._signers[0]
        return self._last

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWS of `claims`."""
        return self.signer.sign(claims)

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims; times are for the caller to judge. Raises TokenError.

        What names no issuer (a link to bytes) must be this server's own.
        """
        owners: list[str] = []

        def key_of(kid: str) -> Ed25519PublicKey | None:
            found = self._keys.get(kid)
            if found and (not found.until or self._now() < found.until):
                owners.append(found.owner)
            else:
                found = None
            if self._cluster and kid == self._cluster[0] and audience == INVITES:
                owners.append(CLUSTER)
                return self._cluster[1]
            return found.public if found else None

        claims = verified(token, audience, key_of)
        if claims.get("iss", self.server_id) not in owners:
            raise TokenError("the issuer has another key")
        return claims

    def _now(self) -> float:
        return self.membership.clock()


def signing_key(
    signers: Sequence[Signer], server: RosterServer | RosterDiscovery | None, now: float
) -> Signer | None:
    """Return the private key that `server` signs with at `now`, None where the roster believes none."""
    by_key = {signing.encode_key(signer.raw_public): signer for signer in signers}
    usable = [key for key in (server.keys if server else []) if key.key in by_key and _signs(key, now)]
    newest = max(usable, key=lambda key: key.use_from, default=None)
    return by_key[newest.key] if newest else None


def _signs(key: PublicKey, now: float) -> bool:
    return key.use_from <= now and (not key.until or now < key.until)


def _keys_of(server: RosterServer) -> list[tuple[str, _Key]]:
    found = []
    for key in server.keys:
        try:
            raw = signing.decode_key(key.key)
            found.append((signing.key_id(raw), _Key(server.id, signing.load_key(raw), key.until)))
        except SignatureError:
            _log.warning("a damaged key in the roster", extra={"server": server.id})
    return found
