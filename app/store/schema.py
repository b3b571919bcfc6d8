"""The tables of `client.sqlite`, as numbered migrations. Never change a migration; add a new one."""

from typing import Final

_FIRST = (
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # one row: the highest version that this computer has assigned
    "CREATE TABLE version_clock (id INTEGER PRIMARY KEY CHECK (id = 1), last_ver INTEGER NOT NULL)",
    "INSERT INTO version_clock VALUES (1, 0)",
    """CREATE TABLE code_counter (
        book_id TEXT NOT NULL, prefix TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (book_id, prefix)
    )""",
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        op_id TEXT NOT NULL UNIQUE,
        ver INTEGER NOT NULL,
        book_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        human_code TEXT NOT NULL,
        payload TEXT NOT NULL,
        documents TEXT NOT NULL,
        created_us INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        last_error TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'refused'))
    )""",
    "CREATE INDEX outbox_by_book ON outbox (book_id, seq)",
    """CREATE TABLE cached_entry (
        book_id TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        entry_date TEXT NOT NULL,
        amount TEXT NOT NULL,
        direction TEXT NOT NULL,
        category TEXT NOT NULL,
        description TEXT NOT NULL,
        human_code TEXT NOT NULL,
        document_count INTEGER NOT NULL,
        voided INTEGER NOT NULL,
        documents TEXT,
        seen INTEGER NOT NULL,
        PRIMARY KEY (book_id, entry_id)
    )""",
    "CREATE INDEX cached_entry_listed ON cached_entry (book_id, entry_date, entry_id)",
    "CREATE INDEX cached_entry_seen ON cached_entry (book_id, seen, entry_date, entry_id)",
)

_CHANGES = (
    # the entry that an edit, void or restore was made from, with its bills, as JSON; '' for a new entry
    "ALTER TABLE outbox ADD COLUMN base TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE outbox ADD COLUMN voided INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE cached_entry ADD COLUMN ver INTEGER NOT NULL DEFAULT 0",
)

_DRAFTS = (
    # the drafts of the Add Entry form, as JSON
    "CREATE TABLE draft (book_id TEXT PRIMARY KEY, payload TEXT NOT NULL)",
)

_BILL_CODES = (
    # the highest number that this computer has ever used after each stem of a bill's code
    """CREATE TABLE bill_counter (
        book_id TEXT NOT NULL, stem TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (book_id, stem)
    )""",
)

_RETAINED = (
    # the replay log: confirmed operations kept until two regions have them; the columns are the outbox's
    """CREATE TABLE retained (
        op_id TEXT PRIMARY KEY,
        ver INTEGER NOT NULL,
        book_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        human_code TEXT NOT NULL,
        payload TEXT NOT NULL,
        documents TEXT NOT NULL,
        created_us INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        last_error TEXT NOT NULL,
        state TEXT NOT NULL,
        base TEXT NOT NULL,
        voided INTEGER NOT NULL
    )""",
    "CREATE INDEX retained_by_book ON retained (book_id, ver)",
    # the replication status of confirmed operations; `rows` and `bytes` are regions separated by spaces
    """CREATE TABLE whereabouts (
        op_id TEXT PRIMARY KEY,
        book_id TEXT NOT NULL,
        entry_id TEXT NOT NULL,
        ver INTEGER NOT NULL,
        rows TEXT NOT NULL,
        bytes TEXT NOT NULL,
        server TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        region TEXT NOT NULL
    )""",
    "CREATE INDEX whereabouts_by_book ON whereabouts (book_id, at_us)",
)

_LOOKED_UP = (
    # the pin (`BookSession.pin_id`) under which the status was found; under another pin it is polled again
    "ALTER TABLE whereabouts ADD COLUMN stay TEXT NOT NULL DEFAULT ''",
)

_TURNED = (
    # the bills that are shown turned on this computer, clockwise by 1 to 3 quarters
    "CREATE TABLE bill_turn (sha256 TEXT PRIMARY KEY, turns INTEGER NOT NULL)",
)

_ERROR_FIELDS = (
    # what a server refused at which field, as JSON: {field: sentence}; '' if it named none
    "ALTER TABLE outbox ADD COLUMN error_fields TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    *(_FIRST, _CHANGES, _DRAFTS, _BILL_CODES),
    *(_RETAINED, _LOOKED_UP, _TURNED, _ERROR_FIELDS),
)
"""`PRAGMA user_version` is the number of migrations that a file has had."""
