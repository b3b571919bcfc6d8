"""Who this server is in its cluster, looked up at its start; without a roster it is a cluster of its own."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from server.cluster.membership import Membership
from server.cluster.trusted_keys import TrustedKeys, signing_key
from server.config import Config
from server.contract import cluster, signing
from server.contract.cluster import PublicKey, Roster, RosterRegion, RosterServer
from server.contract.durable_files import write_file
from server.contract.signing import SignatureError
from server.errors import StartError
from server.tokens.keys import own_signers, retire_key
from server.tokens.tokens import Signer

_log = logging.getLogger(__name__)
ROSTER_FILE: Final = "roster.jws"
_NO_END: Final = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """`config` holds what the roster says of this server."""

    config: Config
    membership: Membership
    trusted_keys: TrustedKeys


def start_member(config: Config, clock: Callable[[], float]) -> ClusterMember:
    """Return this server's place in its cluster. Raises StartError with what is to be added where."""
    signers = own_signers(config.folder)
    if not config.roster and not config.cluster_key:
        membership = _alone(config, signers[0], clock)
    else:
        membership = read_membership(config, clock)
        config = _agreed(config, membership.roster, signers, clock())
    folder = config.folder
    trusted_keys = TrustedKeys(
        config.server_id, membership, lambda: own_signers(folder), lambda: retire_key(folder)
    )
    return ClusterMember(config, membership, trusted_keys)


def read_text(path: Path) -> str:
    """Return the text of a roster's file. Raises OSError, UnicodeDecodeError."""
    return path.read_text(encoding="ascii").strip()


def own_roster(config: Config, signer: Signer, url: str) -> tuple[Roster, Callable[[], str]]:
    """Return the roster of a server that is a cluster of its own, and what gives its text, signed by itself.

    It depends on nothing but key, id, region and address, so that it is the same after each start.
    """
    key = signing.encode_key(signer.raw_public)
    roster = Roster(
        cluster_key=key,
        version=1,
        issued_at=0,
        expires_at=_NO_END,
        central_url=url,
        regions=[RosterRegion(config.region, config.region_letter)],
        servers=[RosterServer(config.server_id, config.region, url, [PublicKey(key)])],
    )
    return roster, lambda: signing.sign(signer.key, signer.kid, cluster.ROSTER, roster)


# --- inside ---------------------------------------------------------------------------------------------


def _alone(config: Config, signer: Signer, clock: Callable[[], float]) -> Membership:
    return Membership(
        signing.fingerprint(signer.raw_public), *own_roster(config, signer, config.public_url), clock
    )


def read_membership(config: Config, clock: Callable[[], float]) -> Membership:
    """Return what a server of a roster's believes, from its files. Raises StartError."""
    if not (config.roster and config.cluster_key):
        raise StartError(
            "Set both: roster (a file) and cluster_key (the fingerprint of the key that signed it)."
        )
    if not config.server_id:
        raise StartError("Set server_id: the roster knows this server by it.")
    kept = config.folder / ROSTER_FILE
    roster, text = _newest(config, kept)
    if clock() >= roster.expires_at:
        _log.warning("the roster has expired; renew it", extra={"version": roster.version})
    membership = Membership(config.cluster_key, roster, lambda: text, clock, lambda newer: _keep(kept, newer))
    _keep(kept, text)
    return membership


def _newest(config: Config, kept: Path) -> tuple[Roster, str]:
    found, problems = [], []
    for path in (kept, Path(config.roster)):
        try:
            text = read_text(path)
            found.append((cluster.read_roster(text, config.cluster_key), text))
        except (OSError, UnicodeDecodeError, SignatureError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(f"The roster {path} cannot be used: {reason}.")
    if not found:
        raise StartError(problems[-1])
    for problem in problems[-1:] if len(found) == 1 and kept.exists() else []:
        _log.warning("%s", problem)
    return max(found, key=lambda each: each[0].version)  # of equal ones the one believed before


def _agreed(config: Config, roster: Roster, signers: list[Signer], now: float) -> Config:
    """Return `config` with what the roster says. Raises StartError where the two contradict each other."""
    id_, key = config.server_id, signing.encode_key(signers[0].raw_public)
    server = roster.server(id_)
    if server is None:
        url = config.public_url or "(its public address)"
        raise StartError(
            f"The roster (version {roster.version}) has no server {id_}. "
            f"Add it with `bahi-server roster add`: region {config.region}, url {url}, key {key}."
        )
    if signing_key(signers, server, now) is None:
        raise StartError(
            f"The roster (version {roster.version}) has no key of this server that is in use for {id_}. "
            f"Add this one: {key}."
        )
    letter = next((each.letter for each in roster.regions if each.code == server.region), "")
    told = {"region": server.region, "region_letter": letter, "public_url": server.url}
    for name, value in told.items():
        said, silent = getattr(config, name), _SILENT[name]
        if said not in (silent, value):
            raise StartError(
                f"{name} is {said} in the configuration, but {value} for {id_} in the roster "
                f"(version {roster.version}). Correct the one that is wrong."
            )
    return msgspec.structs.replace(config, **told)


_SILENT: Final = {"region": "local", "region_letter": "0", "public_url": ""}
"""What a configuration that says nothing says."""


def _keep(path: Path, text: str) -> None:
    try:
        write_file(path, text.encode("ascii"))
    except OSError as error:  # a full disk, say: the roster is believed all the same
        _log.warning("the roster could not be written", extra={"error": type(error).__name__})
