"""How far an entry has come, as an icon and a sentence: waiting, confirmed, in more than one region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from app.domain.entry import EntryState, ListedEntry
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus
from app.ui.local_time import clock_text

Replication: TypeAlias = Mapping[str, ReplicationStatus]
"""Where the last changes made on this computer are, by the id of their entry."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HERE: Final = ReplicationStatus("")


@dataclass(frozen=True, slots=True)
class StateMark:
    """An icon, the token of its colour, and what both mean."""

    icon: str
    tint: str
    sentence: str


def state_mark(entry: ListedEntry, replication: Replication | None, today: date) -> StateMark:
    """Return the mark of `entry`; without `places` it is of this computer's own book. `today` is a day of
    the wall calendar."""
    place = _status_of(entry, replication)
    sentence = _sentence(entry, place, today)
    return StateMark(*_icon(entry, place), f"Voided. {sentence}" if entry.voided else sentence)


def _status_of(entry: ListedEntry, places: Replication | None) -> ReplicationStatus | None:
    """Return where the version shown is, or None where no more is known than its state."""
    if places is None or entry.state is EntryState.REFUSED:
        return None
    if entry.state is EntryState.WAITING:
        return _HERE
    found = places.get(entry.id)
    newest = found is not None and found.at_us > 0 and found.ver >= entry.ver
    return found if newest else None


def _icon(entry: ListedEntry, place: ReplicationStatus | None) -> tuple[str, str]:
    match entry.state:
        case EntryState.WAITING:
            return "clock" if place is None else "check", "warn"
        case EntryState.REFUSED:
            return "alert", "danger"
        case EntryState.CONFIRMED:
            safe = place is not None and len(place.regions) >= SAFE_REGIONS
            return "check-filled" if safe else "check-double", "text_muted"


def _sentence(entry: ListedEntry, place: ReplicationStatus | None, today: date) -> str:
    match entry.state:
        case EntryState.WAITING:
            return "On this computer, waiting to be sent" if place is None else "On this computer only"
        case EntryState.REFUSED:
            return f"Refused by the server: {entry.note}" if entry.note else "Refused by the server"
        case EntryState.CONFIRMED:
            return "Confirmed by the server" if place is None else _confirmed(place, entry, today)


def _confirmed(place: ReplicationStatus, entry: ListedEntry, today: date) -> str:
    region = f" ({place.region})" if place.region else ""
    at = clock_text(_EPOCH + timedelta(microseconds=place.at_us), today)
    confirmed = f"Confirmed by {place.server or 'a server'}{region} {at}"
    whole = sorted(place.regions - {place.region})
    partly = sorted(place.rows - place.bytes - {place.region})
    also = [f" Also in {_listed(whole)}."] if whole else []
    if partly:
        bills = "bills are still on their" if entry.document_count > 1 else "bill is still on its"
        also.append(f" Also in {_listed(partly)}, its {bills} way.")
    return f"{confirmed}.{''.join(also)}" if also else confirmed


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
