"""Determines at the start this server's place in its cluster.

A server without a roster is a cluster of its own, and signs a roster for itself.
"""

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
from server.contract.private_files import regular_opener
from server.contract.signing import SignatureError
from server.errors import StartError
from server.tokens.keys import own_signers, retire_key
from server.tokens.tokens import Signer

_log = logging.getLogger(__name__)
ROSTER_FILE: Final = "roster.jws"
_NO_END: Final = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """This server as a member of its cluster. `config` is completed with the values of the roster."""

    config: Config
    membership: Membership
    trusted_keys: TrustedKeys


def start_member(config: Config, clock: Callable[[], float]) -> ClusterMember:
    """Return this server as a member of its cluster. Raises StartError, with what to add to the roster."""
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
    """Return the text of a roster file. Raises OSError, also if it is a pipe, and UnicodeDecodeError."""
    with open(path, encoding="ascii", opener=regular_opener) as file:
        return file.read().strip()


def own_roster(config: Config, signer: Signer, url: str) -> tuple[Roster, Callable[[], str]]:
    """Return the roster of a server without a cluster, and a function that returns its signed text."""
    # It depends only on key, id, region and address, so that it is the same after each start.
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
    """Return the membership of a server that has a roster, from its files. Raises StartError."""
    if not (config.roster and config.cluster_key):
        raise StartError(
            "Set both roster (a file) and cluster_key (the fingerprint of the key that signed it)."
        )
    if not config.server_id:
        raise StartError("Set server_id: it identifies this server in the roster.")
    kept = config.folder / ROSTER_FILE
    roster, text = _newest(config, kept)
    if clock() >= roster.expires_at:
        _log.warning("roster expired; renew it", extra={"version": roster.version})
    membership = Membership(config.cluster_key, roster, lambda: text, clock, lambda newer: _keep(kept, newer))
    _keep(kept, text)
    return membership


def _newest(config: Config, kept: Path) -> tuple[Roster, str]:
    """Return the newer one of the configured roster and the last one in force, and its text."""
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
    # At the very first start only the configured file exists, and that is no reason for a warning.
    for problem in problems[-1:] if len(found) == 1 and kept.exists() else []:
        _log.warning("roster file not usable", extra={"error": problem})
    return max(found, key=lambda each: each[0].version)  # of the same version, the one that was in force


def _agreed(config: Config, roster: Roster, signers: list[Signer], now: float) -> Config:
    """Return `config` completed with the values of the roster. Raises StartError if they contradict."""
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
    listed = {"region": server.region, "region_letter": letter, "public_url": server.url}
    for name, value in listed.items():
        configured, default = getattr(config, name), _DEFAULTS[name]
        if configured not in (default, value):
            raise StartError(
                f"{name} is {configured} in the configuration, but {value} for {id_} in the roster "
                f"(version {roster.version}). Correct the one that is wrong."
            )
    return msgspec.structs.replace(config, **listed)


# The values of these keys if the configuration does not set them.
_DEFAULTS: Final = {"region": "local", "region_letter": "0", "public_url": ""}


def _keep(path: Path, text: str) -> None:
    try:
        write_file(path, text.encode("ascii"), private=True)
    except OSError as error:  # for example, the disk is full: the roster is in force nevertheless
        _log.warning("writing the roster failed", extra={"error": type(error).__name__})
