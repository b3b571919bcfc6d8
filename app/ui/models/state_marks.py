"""The mark of an entry's state, as an icon and a sentence: waiting, confirmed, in more than one region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from app.domain.entry import EntryState, ListedEntry
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus
from app.domain.text import isolated
from app.ui.local_time import clock_text

Replication: TypeAlias = Mapping[str, ReplicationStatus]
"""The replication status of the last changes made on this computer, by the id of the entry."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HERE: Final = ReplicationStatus("")


@dataclass(frozen=True, slots=True)
class StateMark:
    """An icon, the token of its colour, and a sentence that explains both."""

    icon: str
    tint: str
    sentence: str


def state_mark(entry: ListedEntry, replication: Replication | None, today: date) -> StateMark:
    """Return the mark of `entry`. `replication` is None for the local book; `today` is the local date."""
    status = _status_of(entry, replication)
    sentence = _sentence(entry, status, today)
    return StateMark(*_icon(entry, status), f"Voided. {sentence}" if entry.voided else sentence)


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


def _sentence(entry: ListedEntry, status: ReplicationStatus | None, today: date) -> str:
    match entry.state:
        case EntryState.WAITING:
            return "On this computer, waiting to be sent" if status is None else "On this computer only"
        case EntryState.REFUSED:
            return f"Refused by the server: {isolated(entry.note)}" if entry.note else "Refused by the server"
        case EntryState.CONFIRMED:
            return "Confirmed by the server" if status is None else _confirmed(status, entry, today)


def _confirmed(status: ReplicationStatus, entry: ListedEntry, today: date) -> str:
    region = f" ({status.region})" if status.region else ""
    at = clock_text(_EPOCH + timedelta(microseconds=status.at_us), today)
    confirmed = f"Confirmed by {status.server or 'a server'}{region} {at}"
    whole = sorted(status.regions - {status.region})
    partly = sorted(status.rows - status.bytes - {status.region})
    also = [f" Also in {_listed(whole)}."] if whole else []
    if partly:
        bills = "bills are still on their" if entry.document_count > 1 else "bill is still on its"
        also.append(f" Also in {_listed(partly)}, its {bills} way.")
    return f"{confirmed}.{''.join(also)}" if also else confirmed


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
