"""The public keys of every server in the roster, by `kid`, and this server's private keys.

A token must be signed by a key of the server that it names as its issuer. An invitation may also be signed by
the cluster key. A server that is no longer in the roster has no trusted keys.
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
# The issuer of tokens that the operator signs with the cluster key.
CLUSTER: Final = "cluster"


class _Key(NamedTuple):
    owner: str
    public: Ed25519PublicKey
    until: int


@dataclass(slots=True)
class TrustedKeys:
    """Signs with this server's key and verifies with those of the cluster.

    `own` returns this server's private keys, the next one last. It is called again for each new roster.
    `retire` is called once the next key is in use.
    """

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
        """Read the keys of the roster, and this server's private keys."""
        roster = self.membership.roster
        try:
            self._signers = self.own()
        except StartError as error:  # the keys that were read at the start stay in use
            _log.error("reading own keys failed", extra={"error": str(error)})
        self._keys = {kid: key for server in roster.servers for kid, key in _keys_of(server)}
        raw = signing.decode_key(roster.cluster_key)
        self._cluster = signing.key_id(raw), signing.load_key(raw)
        if signing_key(self._signers, roster.server(self.server_id), self._now()) is None:
            _log.error("roster has no usable key of this server")

    @property
    def signer(self) -> Signer:
        """The key to sign with: the newest of this server's keys that is in use according to the roster."""
        server = self.membership.roster.server(self.server_id)
        found = signing_key(self._signers, server, self._now())
        if found and found is not self._signers[0]:
            self.retire()
            self._signers = [found]
        # Without a usable key, signing goes on with the last one. Others refuse the signature, which is
        # visible in their logs; an exception here would fail every call.
        self._last = found or self._last or self._signers[0]
        return self._last

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWS of `claims`."""
        return self.signer.sign(claims)

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims. The caller checks the times. Raises TokenError.

        A token without an issuer (a signed URL) must be signed by this server itself.
        """
        owners: list[str] = []

        def key_of(kid: str) -> Ed25519PublicKey | None:
            found = self._keys.get(kid)
            # Checked at each use: no event announces that a key has expired.
            if found and (not found.until or self._now() < found.until):
                owners.append(found.owner)
            else:
                found = None
            # The cluster key is trusted for invitations only. Tokens of sessions come from servers.
            if self._cluster and kid == self._cluster[0] and audience == INVITES:
                owners.append(CLUSTER)
                return self._cluster[1]
            return found.public if found else None

        claims = verified(token, audience, key_of)
        if claims.get("iss", self.server_id) not in owners:
            raise TokenError("not signed by its issuer")
        return claims

    def _now(self) -> float:
        return self.membership.clock()


def signing_key(
    signers: Sequence[Signer], server: RosterServer | RosterDiscovery | None, now: float
) -> Signer | None:
    """Return the private key that `server` signs with at `now`, or None if the roster trusts none of them."""
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
            _log.warning("roster has a damaged key", extra={"server": server.id})
    return found
