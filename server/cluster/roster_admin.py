"""The operator's folder, with the cluster key (`cluster-key.pem`) and the roster (`roster.jws`).

The key never leaves the folder; the roster is copied to the servers. All functions raise StartError.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from msgspec.structs import replace

from server.cluster import roster as rosters
from server.cluster.roster import RosterError
from server.cluster.trusted_keys import CLUSTER
from server.contract import cluster, join, signing
from server.contract.cluster import Roster
from server.contract.durable_files import make_folder, write_file
from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.tokens import invites
from server.tokens.keys import KEY, NEXT_KEY, load_or_make_key
from server.tokens.tokens import Signer, raw_key

_KEY: Final = "cluster-key.pem"
_ROSTER: Final = "roster.jws"
# Takes a roster and the time (seconds since 1970), and returns the next roster. It may raise RosterError.
Change = Callable[[Roster, int], Roster]


@dataclass(frozen=True, slots=True)
class RosterAdmin:
    """The commands on one folder. `clock` returns seconds since 1970."""

    folder: Path
    clock: Callable[[], float] = time.time

    def init(self, central_url: str, days: int) -> str:
        """Create a cluster; return the fingerprint of its key, which every server and client needs."""
        try:
            make_folder(self.folder)
        except OSError as error:
            raise StartError(f"The folder {self.folder} cannot be made: {error.strerror}.") from error
        for name in (_KEY, _ROSTER):
            if (self.folder / name).exists():
                raise StartError(f"There is a cluster in {self.folder} already: {name}.")
        # Check the arguments before a key is created, with a placeholder for the key.
        placeholder = bytes(32)
        empty = _refusing(lambda: rosters.make(placeholder, central_url, days, self._now()))
        signer = Signer(load_or_make_key(self.folder / _KEY))
        key = raw_key(signer.public)
        self._write(signer, replace(empty, cluster_key=signing.encode_key(key)))
        return signing.fingerprint(key)

    def change(self, change: Change) -> Roster:
        """Apply a change to the roster, sign the result, and replace the old roster."""
        with lock_folder(self.folder, timeout=5.0):
            signer, roster = self._signer(), self.roster()
            changed = _refusing(lambda: change(roster, self._now()))
            self._write(signer, changed)
        return changed

    def invite(self, days: int) -> str:
        """Return an invitation link, with which one person can create an account in the cluster."""
        if not 1 <= days <= invites.MAX_DAYS:
            raise StartError(f"An invitation is valid for 1 to {invites.MAX_DAYS} days.")
        signer, roster = self._signer(), self.roster()
        code = invites.make_invite(signer, CLUSTER, uuid4(), days, self._now())
        fingerprint = signing.fingerprint(raw_key(signer.public))
        return join.make_link(join.InviteLink(roster.central_url, fingerprint, code))

    def roster(self) -> Roster:
        """Return the roster, which must be signed by the key in the same folder."""
        path = self.folder / _ROSTER
        try:
            text = path.read_text(encoding="ascii")
            return cluster.read_roster(text, signing.fingerprint(raw_key(self._signer().public)))
        except OSError as error:
            raise StartError(f"There is no roster in {self.folder}; run `roster init` first.") from error
        except (UnicodeDecodeError, signing.SignatureError) as error:
            raise StartError(f"{path} is damaged, or signed by another cluster's key.") from error

    def _signer(self) -> Signer:
        path = self.folder / _KEY
        if not path.exists():
            raise StartError(f"The cluster key is not in {self.folder}; without it, nothing can be changed.")
        return Signer(load_or_make_key(path))

    def _write(self, signer: Signer, roster: Roster) -> None:
        path, text = self.folder / _ROSTER, signing.sign(signer.key, signer.kid, cluster.ROSTER, roster)
        try:
            write_file(path, text.encode("ascii"))
        except OSError as error:
            raise StartError(f"{path} cannot be written: {error.strerror}.") from error

    def _now(self) -> int:
        return int(self.clock())


def public_key(data: Path, next_one: bool = False) -> str:
    """Return the public key (base64url) of the server with the data folder `data`; create it if missing.

    With `next_one` it is the server's next key, which comes into use when the roster says so.
    """
    path = data / (NEXT_KEY if next_one else KEY)
    if next_one or path.exists():
        return _public(path)
    with lock_folder(data):  # a server that starts at the same time would create another key
        return _public(path)


def _public(path: Path) -> str:
    try:
        key = load_or_make_key(path)
    except OSError as error:
        raise StartError(f"The key {path} cannot be used: {error.strerror}.") from error
    return signing.encode_key(raw_key(key.public_key()))


def _refusing(work: Callable[[], Roster]) -> Roster:
    try:
        return work()
    except RosterError as error:
        raise StartError(str(error)) from error
