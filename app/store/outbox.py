"""The outbox: operations that are saved on this computer and not confirmed by a server, oldest first.

`Files` makes the bills of an item durable first; the item itself is durable when `add` returns. A crash
before that leaves at most a file that nothing names. After a crash between a server's answer and `confirm`,
the item is sent again with the same `op_id`; the server then returns the same receipt and changes nothing.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.domain import codes
from app.domain.entry import Attachment, DocumentInfo, EntryDetail, EntryDraft
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.errors import StoreError
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
"""Returns the given number of random bytes."""


class Outbox:
    """The table `outbox`, and the counters of versions and codes. Thread-safe; methods raise StoreError."""

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
        """Store a new entry, its code and its version in one transaction. It is durable on return.

        `now_us` is this computer's clock (µs since 1970); the server's clock is `offset_us` ahead of it.
        Raises ValueError if the prefix is malformed or the amount has more than two decimals.
        """
        payload = encode_draft(draft)
        with self._database.write() as connection:
            ver = _take_version(connection, now_us, offset_us)
            code = codes.human_code(code_prefix, _take_counter(connection, book_id, code_prefix))
            op_id = _new_id(ver, random)
            bills = _numbered(draft.attachments, code, ver, random)
            _note_bills(connection, book_id, codes.document_stem(code, code_prefix), bills)
            new = (op_id, ver, book_id, OutboxKind.CREATE, _new_id(ver, random), code, payload)
            return _inserted(connection, (*new, encode_documents(bills), now_us, "", False))

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
        """Store an edit, void or restore of `base`. It is durable on return.

        A bill of `draft` whose id is in `base` is kept; any other is new. `base` is the entry as shown on
        this computer, including its own changes that are not sent yet. Raises StoreError if the version of
        `base` is no time.
        """
        payload, entry = encode_draft(draft), base.entry
        _check_version(entry.ver)
        with self._database.write() as connection:
            # The version clock does not keep this maximum: if `base` was made by a device whose clock is
            # ahead, every later version of this computer would be in the future too.
            ver = max(_take_version(connection, now_us, offset_us), entry.ver + 1)
            op_id = _new_id(ver, random)
            stem = codes.document_stem(entry.human_code, code_prefix)
            given = _bills_given(connection, book_id, stem)
            bills = _renumbered(draft.attachments, base, stem, given, ver, random)
            _note_bills(connection, book_id, stem, bills)
            voided = kind is OutboxKind.VOID or (kind is OutboxKind.EDIT and entry.voided)
            new = (op_id, ver, book_id, kind, entry.id, entry.human_code, payload)
            return _inserted(connection, (*new, encode_documents(bills), now_us, encode_detail(base), voided))

    def correctable(self, op_id: str) -> OutboxItem | None:
        """Return the entry to correct as it is after a refused create or edit and the edits made from it.

        Return None if the item is not refused any more, or if the entry was voided or restored since.
        """
        with self._database.read() as connection:
            rows = _correctable(connection, op_id)
        return item_of(rows[-1]) if rows else None

    def correct(
        self,
        op_id: str,
        draft: EntryDraft,
        code_prefix: str,
        now_us: int,
        offset_us: int = 0,
        random: Random = os.urandom,
    ) -> OutboxItem | None:
        """Replace a refused create or edit, and the edits made from it, by one operation with `draft`.

        This is one transaction: either the old operations are stored or the new one. The entry keeps its id
        and its code; the operation gets a new op_id, because an op_id must never stand for two contents.
        Return None, and change nothing, where `correctable` returns None.
        """
        payload = encode_draft(draft)
        with self._database.write() as connection:
            rows = _correctable(connection, op_id)
            if not rows:
                return None
            last, first = item_of(rows[-1]), rows[0]
            ver = max(_take_version(connection, now_us, offset_us), last.ver + 1)
            stem = codes.document_stem(last.human_code, code_prefix)
            given = _bills_given(connection, last.book_id, stem)
            bills = _renumbered(draft.attachments, last.detail(), stem, given, ver, random)
            _note_bills(connection, last.book_id, stem, bills)
            for row in rows:
                connection.execute("DELETE FROM outbox WHERE op_id = ?", (row["op_id"],))
            new = (_new_id(ver, random), ver, last.book_id, first["kind"], last.entry_id, last.human_code)
            rest = (payload, encode_documents(bills), now_us, first["base"], first["voided"])
            return _inserted(connection, (*new, *rest))

    def put_back(self, item: OutboxItem) -> bool:
        """Store an operation that was read from a copy, as waiting. Return False if it is here already."""
        with self._database.write() as connection:
            known = connection.execute("SELECT 1 FROM outbox WHERE op_id = ?", (item.op_id,)).fetchone()
            if known is None:
                draft = EntryDraft(
                    item.entry_date, item.amount, item.direction, item.category, item.description
                )
                created_us = round(item.created_at.timestamp() * 1_000_000)
                new = (item.op_id, item.ver, item.book_id, item.kind, item.entry_id, item.human_code)
                rest = (encode_draft(draft), encode_documents(item.documents), created_us)
                base = encode_detail(item.base) if item.base else ""
                _inserted(connection, (*new, *rest, base, item.voided))
        return known is None

    def discard(self, op_id: str) -> None:
        """Delete a refused item. If it creates an entry, later changes of that entry are deleted too.

        Changes that were made from a deleted change are then based on the version before it.
        """
        with self._database.write() as connection:
            # Only refused items: a waiting one may be on its way to the server at this moment.
            row = connection.execute(
                "DELETE FROM outbox WHERE op_id = ? AND state = 'refused' RETURNING *", (op_id,)
            ).fetchone()
            if row is None:
                return
            if row["kind"] == OutboxKind.CREATE:
                whose = "DELETE FROM outbox WHERE book_id = ? AND entry_id = ?"
                connection.execute(whose, (row["book_id"], row["entry_id"]))
            else:
                _rebase_later_changes(connection, row)

    def waiting(self, book_id: str) -> list[OutboxItem]:
        """Return the items to send, oldest first."""
        return self._select("book_id = ? AND state = 'waiting' ORDER BY seq", book_id)

    def items(self, book_id: str) -> list[OutboxItem]:
        """Return all items, including refused ones, oldest first."""
        return self._select("book_id = ? ORDER BY seq", book_id)

    def get(self, op_id: str) -> OutboxItem | None:
        """Return one item; None if it is not in the outbox, because it was confirmed or discarded."""
        return next(iter(self._select("op_id = ?", op_id)), None)

    def find_entry(self, book_id: str, entry_id: str) -> OutboxItem | None:
        """Return the last operation on an entry; None if the outbox has none."""
        found = self._select("book_id = ? AND entry_id = ? ORDER BY seq DESC LIMIT 1", book_id, entry_id)
        return next(iter(found), None)

    def entry_ids(self, book_id: str) -> list[str]:
        """Return the ids of the entries that the outbox has operations of."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT DISTINCT entry_id FROM outbox WHERE book_id = ?", (book_id,))
            return [str(row[0]) for row in rows]

    def last_made(self, book_id: str, prefix: str, most: int) -> list[OutboxItem]:
        """Return the last operation of each entry with one of the highest codes after `prefix`.

        There are at most `most`, the highest code first, without voided entries.
        """
        return self._select(
            "seq IN (SELECT max(seq) FROM outbox WHERE book_id = ? AND substr(human_code, 1, 4) = ?"
            " GROUP BY entry_id) AND NOT voided ORDER BY length(human_code) DESC, human_code DESC LIMIT ?",
            book_id,
            f"{prefix}-",
            most,
        )

    def count(self, book_id: str, state: OutboxState | None = None) -> int:
        """Return the number of items, or of those in one state."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(*) FROM outbox WHERE book_id = ?1 AND (?2 IS NULL OR state = ?2)",
                (book_id, None if state is None else state.value),
            ).fetchone()
        return int(row[0])

    def confirm(self, op_id: str, by: Confirmed = HERE, now_us: int = 0, *, keep: bool = False) -> None:
        """Remove an item that a server has confirmed; with `keep`, move it to the replay log. Idempotent."""
        with self._database.write() as connection:
            row = connection.execute("DELETE FROM outbox WHERE op_id = ? RETURNING *", (op_id,)).fetchone()
            if row is not None and by.region:
                log_for_replay(connection, row, by, now_us, keep=keep)

    def fail(self, op_id: str, error_text: str) -> None:
        """Record that sending an item failed; it stays waiting."""
        self._update(op_id, "attempts = attempts + 1, last_error = ?", error_text)

    def refuse(self, op_id: str, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        """Record that a server rejected an item, with the reason, also by field. It waits for `retry`."""
        changes = "attempts = attempts + 1, state = 'refused', last_error = ?, error_fields = ?"
        self._update(op_id, changes, sentence, json.dumps(dict(fields)) if fields else "")

    def error_fields(self, op_id: str) -> dict[str, str]:
        """Return what the server rejected at which field of an item; an empty dict if it named none."""
        with self._database.read() as connection:
            row = connection.execute("SELECT error_fields FROM outbox WHERE op_id = ?", (op_id,)).fetchone()
        found = json.loads(row[0]) if row is not None and row[0] else {}
        return {str(name): str(sentence) for name, sentence in found.items()}

    def retry(self, op_id: str) -> None:
        """Set a refused item to waiting again. Its last error is kept."""
        self._update(op_id, "state = 'waiting'")

    def raise_counter(self, book_id: str, prefix: str, at_least: int) -> None:
        """Set the counter of entry codes to `at_least`, unless it is higher already."""
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO code_counter VALUES (?, ?, ?) ON CONFLICT (book_id, prefix)"
                " DO UPDATE SET last = max(last, excluded.last)",
                (book_id, prefix, at_least),
            )

    def file_hashes(self) -> set[str]:
        """Return the SHA-256 of every bill in the items of all books."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT documents FROM outbox").fetchall()
        return {document.sha256 for row in rows for document in decode_documents(row[0])}

    def restamp(self, book_id: str, now_us: int, offset_us: int, random: Random = os.urandom) -> int:
        """Give new versions to items made while this computer's clock was ahead; return their number.

        Call this after a server has refused a version as too far in the future, with a corrected `offset_us`.
        Otherwise such an item, and all later ones, would be refused until that time. The order is kept. The
        op_id changes too, because an op_id must never stand for two versions.
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
                # The base may itself be in the future, if a server accepted it when its own clock was ahead.
                ver = max(_take_version(connection, now_us, offset_us), based_on + 1)
                renamed[row["ver"]] = ver
                connection.execute(
                    "UPDATE outbox SET op_id = ?, ver = ?, base = ? WHERE op_id = ?",
                    (_new_id(ver, random), ver, base, row["op_id"]),
                )
        return len(ahead)

    def _select(self, where: str, *values: str | int) -> list[OutboxItem]:
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


def _check_version(ver: int) -> None:
    if ver >= codes.LATEST_VERSION:
        sentence = "The version of this entry is damaged, so it cannot be changed. Nothing was saved."
        raise StoreError(sentence, code="damaged")


def _turn_clock_back(connection: sqlite3.Connection, now_us: int, latest: int) -> None:
    connection.execute(
        "UPDATE version_clock SET last_ver ="
        " max(?1, (SELECT coalesce(max(ver), 0) FROM outbox WHERE ver <= ?2)) WHERE last_ver > ?2",
        (now_us, latest),
    )


def _new_id(ver: int, random: Random) -> str:
    # From the version instead of the clock, so that ids sort in the order of the operations.
    return codes.new_id(ver, random(codes.ID_RANDOM_BYTES))


def _numbered(
    attachments: tuple[Attachment, ...], code: str, ver: int, random: Random
) -> tuple[DocumentInfo, ...]:
    # Bills get new ids: if a draft is saved twice, its bills must not move to the second entry.
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
    """Give codes to the new bills: `stem` and a number that was never used, not even by a removed bill."""
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
    """Return an encoded base with its new version, and that version; `renamed` maps old to new versions."""
    if not base:
        return base, 0
    detail = decode_detail(base)
    ver = renamed.get(detail.entry.ver, detail.entry.ver)
    return encode_detail(replace(detail, entry=replace(detail.entry, ver=ver))), ver


def _rebase_later_changes(connection: sqlite3.Connection, gone: sqlite3.Row) -> None:
    """Base the changes that were made from the deleted change `gone` on the version before it."""
    later = connection.execute(
        "SELECT op_id, base FROM outbox WHERE book_id = ? AND entry_id = ? AND base <> ''",
        (gone["book_id"], gone["entry_id"]),
    ).fetchall()
    for row in later:
        if decode_detail(row["base"]).entry.ver == gone["ver"]:
            connection.execute("UPDATE outbox SET base = ? WHERE op_id = ?", (gone["base"], row["op_id"]))


def _correctable(connection: sqlite3.Connection, op_id: str) -> list[sqlite3.Row]:
    """Return a refused create or edit and all later operations on its entry, if these are edits."""
    rows = connection.execute(
        "SELECT later.* FROM outbox AS refused JOIN outbox AS later"
        " ON later.book_id = refused.book_id AND later.entry_id = refused.entry_id"
        " AND later.seq >= refused.seq"
        " WHERE refused.op_id = ? AND refused.state = 'refused' ORDER BY later.seq",
        (op_id,),
    ).fetchall()
    kinds = [OutboxKind(row["kind"]) for row in rows]
    has_content = kinds[:1] in ([OutboxKind.CREATE], [OutboxKind.EDIT])
    return rows if has_content and {*kinds[1:]} <= {OutboxKind.EDIT} else []


def _inserted(connection: sqlite3.Connection, values: tuple[object, ...]) -> OutboxItem:
    connection.execute(
        "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
        " created_us, base, voided) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    row = connection.execute("SELECT * FROM outbox WHERE op_id = ?", values[:1]).fetchone()
    return item_of(row)
