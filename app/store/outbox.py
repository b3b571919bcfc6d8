"""What was saved on this computer and no server has confirmed, in the order in which it was saved.

An item names bills that `Files` made durable before; it is durable itself when `add` returns. After
a crash before that there is at most a file that nothing names. After a crash between a server's
answer and `confirm` the item is sent again with the same `op_id`, which changes nothing there.
"""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from app.domain import codes
from app.domain.entry import Attachment, DocumentInfo, EntryDetail, EntryDraft
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.store.database import Database
from app.store.encoding import (
    decode_detail,
    decode_documents,
    encode_detail,
    encode_documents,
    encode_draft,
)
from app.store.outbox_rows import item_of
from app.store.replay_log import HERE, Confirmed, log_for_replay
from server.contract.limits import MAX_CLOCK_AHEAD_US

Random = Callable[[int], bytes]
"""So many random bytes."""


class Outbox:
    """The table `outbox` and what numbers its items. Usable from any thread; raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        book_id: str,
        draft: EntryDraft,
        code_prefix: str,
        now_us: int,
        offset_us: int = 0,
        random: Random = os.urandom,
    ) -> OutboxItem:
        """Store a new entry, in one transaction with its counter and version; durable on return.

        `now_us` is this computer's clock (µs since 1970), `offset_us` what a server's is ahead of it.
        ValueError for a prefix that is none or an amount with a third decimal.
        """
        payload = encode_draft(draft)
        with self._database.write() as connection:
            ver = _take_version(connection, now_us, offset_us)
            code = codes.human_code(code_prefix, _take_counter(connection, book_id, code_prefix))
            op_id = _new_id(ver, random)
            bills = _numbered(draft.attachments, code, ver, random)
            _note_bills(connection, book_id, codes.document_stem(code, code_prefix), bills)
            connection.execute(
                "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
                " created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(op_id, ver, book_id, OutboxKind.CREATE, _new_id(ver, random), code),
                    *(payload, encode_documents(bills), now_us),
                ),
            )
            return _the_item(connection, op_id)

    def change(
        self,
        book_id: str,
        kind: OutboxKind,
        base: EntryDetail,
        draft: EntryDraft,
        code_prefix: str,
        now_us: int,
        offset_us: int = 0,
        random: Random = os.urandom,
    ) -> OutboxItem:
        """Store an edit, void or restore of `base`; durable on return.

        A bill of `draft` with the id of one of the base's stays that one; the others are new. The base is
        what this computer shows last of the entry: its own waiting change, where there is one.
        """
        payload, entry = encode_draft(draft), base.entry
        with self._database.write() as connection:
            # not noted in the clock: above a base from the future it would take all that follows there
            ver = max(_take_version(connection, now_us, offset_us), entry.ver + 1)
            op_id = _new_id(ver, random)
            stem = codes.document_stem(entry.human_code, code_prefix)
            given = _bills_given(connection, book_id, stem)
            bills = _renumbered(draft.attachments, base, stem, given, ver, random)
            _note_bills(connection, book_id, stem, bills)
            voided = kind is OutboxKind.VOID or (kind is OutboxKind.EDIT and entry.voided)
            connection.execute(
                "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
                " created_us, base, voided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(op_id, ver, book_id, kind, entry.id, entry.human_code, payload),
                    *(encode_documents(bills), now_us, encode_detail(base), voided),
                ),
            )
            return _the_item(connection, op_id)

    def discard(self, op_id: str) -> None:
        """Forget an item that no server will take; of a new entry, all that was done to it since.

        What was made from a change goes on from what that was made from.
        """
        with self._database.write() as connection:
            row = connection.execute(
                "DELETE FROM outbox WHERE op_id = ? AND state = 'refused' RETURNING *", (op_id,)
            ).fetchone()
            if row is None:
                return
            if row["kind"] == OutboxKind.CREATE:
                whose = "DELETE FROM outbox WHERE book_id = ? AND entry_id = ?"
                connection.execute(whose, (row["book_id"], row["entry_id"]))
            else:
                _let_follow(connection, row)

    def waiting(self, book_id: str) -> list[OutboxItem]:
        """Return what is to be sent, oldest first."""
        return self._select("book_id = ? AND state = 'waiting' ORDER BY seq", book_id)

    def items(self, book_id: str) -> list[OutboxItem]:
        """Return everything, what was refused too, oldest first."""
        return self._select("book_id = ? ORDER BY seq", book_id)

    def get(self, op_id: str) -> OutboxItem | None:
        """Return one item, None where it has been confirmed."""
        return next(iter(self._select("op_id = ?", op_id)), None)

    def find_entry(self, book_id: str, entry_id: str) -> OutboxItem | None:
        """Return the item that holds an entry."""
        found = self._select("book_id = ? AND entry_id = ? ORDER BY seq DESC LIMIT 1", book_id, entry_id)
        return next(iter(found), None)

    def count(self, book_id: str, state: OutboxState | None = None) -> int:
        """Count the items, all of them or those in one state."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(*) FROM outbox WHERE book_id = ?1 AND (?2 IS NULL OR state = ?2)",
                (book_id, None if state is None else state.value),
            ).fetchone()
        return int(row[0])

    def confirm(self, op_id: str, by: Confirmed = HERE, now_us: int = 0, *, keep: bool = False) -> None:
        """A server has it: the item leaves, with `keep` for what is retained. Once more changes nothing."""
        with self._database.write() as connection:
            row = connection.execute("DELETE FROM outbox WHERE op_id = ? RETURNING *", (op_id,)).fetchone()
            if row is not None and by.region:
                log_for_replay(connection, row, by, now_us, keep=keep)

    def fail(self, op_id: str, error_text: str) -> None:
        """Sending did not work this time; the item goes on waiting."""
        self._update(op_id, "attempts = attempts + 1, last_error = ?", error_text)

    def refuse(self, op_id: str, sentence: str) -> None:
        """A server will not take it, and said why; the item stays until somebody does something."""
        self._update(op_id, "attempts = attempts + 1, last_error = ?, state = 'refused'", sentence)

    def retry(self, op_id: str) -> None:
        """A refused item waits again; its last error stays to be read."""
        self._update(op_id, "state = 'waiting'")

    def raise_counter(self, book_id: str, prefix: str, at_least: int) -> None:
        """Go on numbering above `at_least`, unless the counter is there already."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO code_counter VALUES (?, ?, ?) ON CONFLICT (book_id, prefix)"
                " DO UPDATE SET last = max(last, excluded.last)",
                (book_id, prefix, at_least),
            )

    def file_hashes(self) -> set[str]:
        """Return the SHA-256 of every bill that an item of any book names."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT documents FROM outbox").fetchall()
        return {document.sha256 for row in rows for document in decode_documents(row[0])}

    def restamp(self, book_id: str, now_us: int, offset_us: int, random: Random = os.urandom) -> int:
        """Give new versions to items of a book made while this computer's clock was ahead; return how many.

        To be called when a server has refused a version as too far ahead and `offset_us` is known
        better: without it such an item, and everything made after it, would wait until that time comes.
        The order stays. The op_id changes too: one op_id must never mean two versions.
        """
        latest = now_us + offset_us + MAX_CLOCK_AHEAD_US
        with self._database.write() as connection:
            ahead = connection.execute(
                "SELECT op_id, ver, base FROM outbox WHERE book_id = ? AND ver > ? ORDER BY seq",
                (book_id, latest),
            ).fetchall()
            _turn_clock_back(connection, now_us + offset_us, latest)
            renamed: dict[int, int] = {}
            for row in ahead:
                base, based_on = _rebased(row["base"], renamed)
                # a version that a server took while its clock was ahead too is still to be gone above
                ver = max(_take_version(connection, now_us, offset_us), based_on + 1)
                renamed[row["ver"]] = ver
                connection.execute(
                    "UPDATE outbox SET op_id = ?, ver = ?, base = ? WHERE op_id = ?",
                    (_new_id(ver, random), ver, base, row["op_id"]),
                )
        return len(ahead)

    def _select(self, where: str, *values: str) -> list[OutboxItem]:
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT * FROM outbox WHERE {where}", values).fetchall()  # noqa: S608
        return [item_of(row) for row in rows]

    def _update(self, op_id: str, assignments: str, *values: str) -> None:
        with self._database.write() as connection:
            connection.execute(f"UPDATE outbox SET {assignments} WHERE op_id = ?", (*values, op_id))  # noqa: S608


def _take_counter(connection: sqlite3.Connection, book_id: str, prefix: str) -> int:
    connection.execute(
        "INSERT INTO code_counter VALUES (?, ?, 1)"
        " ON CONFLICT (book_id, prefix) DO UPDATE SET last = last + 1",
        (book_id, prefix),
    )
    row = connection.execute(
        "SELECT last FROM code_counter WHERE book_id = ? AND prefix = ?", (book_id, prefix)
    ).fetchone()
    return int(row[0])


def _take_version(connection: sqlite3.Connection, now_us: int, offset_us: int) -> int:
    last = connection.execute("SELECT last_ver FROM version_clock").fetchone()[0]
    ver = codes.next_version(now_us, offset_us, last)
    connection.execute("UPDATE version_clock SET last_ver = ?", (ver,))
    return ver


def _turn_clock_back(connection: sqlite3.Connection, now_us: int, latest: int) -> None:
    connection.execute(
        "UPDATE version_clock SET last_ver ="
        " max(?1, (SELECT coalesce(max(ver), 0) FROM outbox WHERE ver <= ?2)) WHERE last_ver > ?2",
        (now_us, latest),
    )


def _new_id(ver: int, random: Random) -> str:
    # from the version, not from the clock: ids of this computer then sort as they were made
    return codes.new_id(ver, random(codes.ID_RANDOM_BYTES))


def _numbered(
    attachments: tuple[Attachment, ...], code: str, ver: int, random: Random
) -> tuple[DocumentInfo, ...]:
    # ids of their own, ascending: a draft that is saved twice must not move its bills to the second entry
    ids = sorted(_new_id(ver, random) for _ in attachments)
    return tuple(
        DocumentInfo(
            new_id, codes.document_code(code, n), bill.file_name, bill.media_type, bill.byte_size, bill.sha256
        )
        for n, (new_id, bill) in enumerate(zip(ids, attachments, strict=True), start=1)
    )


def _renumbered(
    attachments: tuple[Attachment, ...], base: EntryDetail, stem: str, given: int, ver: int, random: Random
) -> tuple[DocumentInfo, ...]:
    """Number the new bills behind `stem`, above every number given: a removed bill's code stays its own."""
    known = {document.id: document for document in base.documents}
    fresh = [bill for bill in attachments if bill.id not in known]
    first = max(given, codes.highest_number(stem, [d.doc_code for d in base.documents])) + 1
    ids = sorted(_new_id(ver, random) for _ in fresh)
    made = {
        bill.id: DocumentInfo(
            new_id, f"{stem}-{n}", bill.file_name, bill.media_type, bill.byte_size, bill.sha256
        )
        for n, (bill, new_id) in enumerate(zip(fresh, ids, strict=True), start=first)
    }
    return tuple(known.get(bill.id) or made[bill.id] for bill in attachments)


def _bills_given(connection: sqlite3.Connection, book_id: str, stem: str) -> int:
    row = connection.execute(
        "SELECT last FROM bill_counter WHERE book_id = ? AND stem = ?", (book_id, stem)
    ).fetchone()
    return int(row[0]) if row else 0


def _note_bills(
    connection: sqlite3.Connection, book_id: str, stem: str, bills: tuple[DocumentInfo, ...]
) -> None:
    if last := codes.highest_number(stem, [bill.doc_code for bill in bills]):
        connection.execute(
            "INSERT INTO bill_counter VALUES (?, ?, ?) ON CONFLICT (book_id, stem)"
            " DO UPDATE SET last = max(last, excluded.last)",
            (book_id, stem, last),
        )


def _rebased(base: str, renamed: dict[int, int]) -> tuple[str, int]:
    """Let a change be made from the version that its base has now; return the base and that version."""
    if not base:
        return base, 0
    detail = decode_detail(base)
    ver = renamed.get(detail.entry.ver, detail.entry.ver)
    return encode_detail(replace(detail, entry=replace(detail.entry, ver=ver))), ver


def _let_follow(connection: sqlite3.Connection, gone: sqlite3.Row) -> None:
    """Let the changes that were made from one that is gone be made from its base."""
    later = connection.execute(
        "SELECT op_id, base FROM outbox WHERE book_id = ? AND entry_id = ? AND base <> ''",
        (gone["book_id"], gone["entry_id"]),
    ).fetchall()
    for row in later:
        if decode_detail(row["base"]).entry.ver == gone["ver"]:
            connection.execute("UPDATE outbox SET base = ? WHERE op_id = ?", (gone["base"], row["op_id"]))


def _the_item(connection: sqlite3.Connection, op_id: str) -> OutboxItem:
    return item_of(connection.execute("SELECT * FROM outbox WHERE op_id = ?", (op_id,)).fetchone())
