"""The mark of an entry's state, as an icon and a sentence: waiting, confirmed, in more than one region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from app.domain.entry import EntryState, ListedEntry
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus
from app.domain.text import isolated
from app.domain.wording import Words, words_of
from app.ui.local_time import clock_text

Replication: TypeAlias = Mapping[str, ReplicationStatus]
"""The replication status of the last changes made on this computer, by the id of the entry."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HERE: Final = ReplicationStatus("")


@dataclass(frozen=True, slots=True)
class StateMark:
    """An icon, the token of its colour, a sentence that explains both, and which servers it is about.

    `servers` is for tool tips only: it names servers and regions.
    """

    icon: str
    tint: str
    sentence: str
    servers: str = ""

    @property
    def whole(self) -> str:
        """The sentence, and the servers in a second line if there are any."""
        return f"{self.sentence}\n{self.servers}" if self.servers else self.sentence


def state_mark(entry: ListedEntry, replication: Replication | None, today: date) -> StateMark:
    """Return the mark of `entry`. `replication` is None for the local book; `today` is the local date."""
    status = _status_of(entry, replication)
    sentence = _sentence(entry, status, today, words_of(is_local=replication is None))
    servers = _servers_of(status) if status is not None and entry.state is EntryState.CONFIRMED else ""
    return StateMark(*_icon(entry, status), f"Crossed out. {sentence}" if entry.voided else sentence, servers)


def _status_of(entry: ListedEntry, replication: Replication | None) -> ReplicationStatus | None:
    """Return the replication status of the shown version; None if it is not known."""
    if replication is None or entry.state is EntryState.REFUSED:
        return None
    if entry.state is EntryState.WAITING:
        return _HERE
    found = replication.get(entry.id)
    newest = found is not None and found.at_us > 0 and found.ver >= entry.ver
    return found if newest else None


def _icon(entry: ListedEntry, status: ReplicationStatus | None) -> tuple[str, str]:
    match entry.state:
        case EntryState.WAITING:
            return "clock" if status is None else "check", "warn"
        case EntryState.REFUSED:
            return "alert", "danger"
        case EntryState.CONFIRMED:
            safe = status is not None and len(status.regions) >= SAFE_REGIONS
            return "check-filled" if safe else "check-double", "text_muted"


def _sentence(entry: ListedEntry, status: ReplicationStatus | None, today: date, words: Words) -> str:
    match entry.state:
        case EntryState.WAITING:
            return words.waiting
        case EntryState.REFUSED:
            return words.refusal(isolated(entry.note))
        case EntryState.CONFIRMED:
            return words.sent if status is None else f"{words.sent} {_sent_when(status, entry, today)}"


def _sent_when(status: ReplicationStatus, entry: ListedEntry, today: date) -> str:
    at = clock_text(_EPOCH + timedelta(microseconds=status.at_us), today)
    if status.regions - {status.region}:
        return f"{at}. Another server has it too."
    if status.rows - {status.region}:
        bills = "bills are still on their" if entry.document_count > 1 else "bill is still on its"
        return f"{at}. Another server has it too, its {bills} way."
    return at


def _servers_of(status: ReplicationStatus) -> str:
    """Return the names of the server that took the change, and of the regions that have it."""
    region = f" ({status.region})" if status.region else ""
    whole = sorted(status.regions - {status.region})
    partly = sorted(status.rows - status.bytes - {status.region})
    parts = [f"{status.server}{region}"] if status.server else []
    if whole:
        parts.append(f"also in {_listed(whole)}")
    if partly:
        parts.append(f"without bills in {_listed(partly)}")
    return "; ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
