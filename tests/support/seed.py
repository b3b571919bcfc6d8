"""Loads a book of any size with set operations. The result equals that of the triggers and the roll-up."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from server.journal.append import SQL as JOURNAL

FIRST_DAY: Final = date(2021, 1, 1)
_DAYS: Final = 5 * 365
_TABLES: Final = ("journal", "accounting_entry", "accounting_document")
_DERIVED: Final = ("entry_delta", "entry_month", "suggestion")
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Seed:
    """The entries numbered `first` to `last` of a book: number n is the same entry wherever it is loaded.

    `per_day` of them are made a day from `first_day` on; every `documents_every`th has one bill (0: none).
    """

    book_id: UUID
    user_id: UUID
    first: int
    last: int
    per_day: int
    documents_every: int = 10
    code_prefix: str = "0S0"
    first_day: date = FIRST_DAY
    region: str = "seed"

    def values(self) -> dict[str, object]:
        """Return what the statements name."""
        return {
            "book_id": self.book_id,
            "user_id": self.user_id,
            "first": self.first,
            "last": self.last,
            "per_day": self.per_day,
            "documents_every": self.documents_every,
            "code_prefix": self.code_prefix,
            "first_day": self.first_day,
            "region": self.region,
        }


def seed_book(
    url: str, book_id: UUID, user_id: UUID, count: int, *, documents_every: int = 10, code_prefix: str = "0S0"
) -> Seed:
    """Load `count` entries of five years into a book at `url` and return what they are (4 s per 100,000)."""
    per_day = max(1, -(-count // _DAYS))
    seed = Seed(book_id, user_id, 1, count, per_day, documents_every, code_prefix)
    load(url, seed)
    return seed


def load(url: str, seed: Seed) -> None:
    """Load the entries of `seed` set by set, past the triggers, and fold their totals."""
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction(), _triggers_off(connection), _indexes_off(connection, seed):
            _draw(connection, seed)
            for statement in (_JOURNAL, _ENTRIES, _DOCUMENTS, _DELTAS):
                connection.execute(statement, seed.values())
            _fold(connection, seed)
        vacuum(connection)


def load_through_triggers(url: str, seed: Seed) -> None:
    """Load the same entries as a server would: into the journal alone. Nothing is folded."""
    with psycopg.connect(url) as connection:
        _draw(connection, seed)
        connection.execute(_JOURNAL, seed.values())


def vacuum(connection: Connection) -> None:
    """Leave the tables as autovacuum would after a while: statistics, visibility, no dead rows."""
    names = sql.SQL(", ").join(sql.Identifier("public", name) for name in (*_TABLES, *_DERIVED))
    connection.execute(sql.SQL("vacuum (analyze) {}").format(names))


def _draw(connection: Connection, seed: Seed) -> None:
    connection.execute(_DRAWN, seed.values())
    connection.execute("analyze pg_temp.drawn")


def _fold(connection: Connection, seed: Seed) -> None:
    pending = "select count(*) from public.entry_delta where book_id = %s"
    found = connection.execute(pending, (seed.book_id,)).fetchone()
    assert found is not None
    connection.execute(JOURNAL["fold"], {"book_id": seed.book_id, "limit": found[0]})


@contextlib.contextmanager
def _triggers_off(connection: Connection) -> Iterator[None]:
    """Switch off what is ENABLE ALWAYS, until the end of the block in the same transaction."""
    triggers = connection.execute(_ALWAYS, (list(_TABLES),)).fetchall()
    for table, name in triggers:
        connection.execute(_alter("alter table {} disable trigger {}", table, name))
    yield
    for table, name in triggers:
        connection.execute(_alter("alter table {} enable always trigger {}", table, name))


@contextlib.contextmanager
def _indexes_off(connection: Connection, seed: Seed) -> Iterator[None]:
    """Build the other indexes afterwards, from their own definitions, where that is quicker."""
    found = connection.execute("select count(*) from public.accounting_entry").fetchone()
    assert found is not None
    if found[0] > seed.last - seed.first:
        yield
        return
    indexes = connection.execute(_SECONDARY, (list(_TABLES),)).fetchall()
    for name, _definition in indexes:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier("public", name)))
    yield
    connection.execute("set local maintenance_work_mem = '256MB'")
    for _name, definition in indexes:
        connection.execute(definition)


def _alter(statement: LiteralString, table: str, trigger: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier("public", table), sql.Identifier(trigger))


_ALWAYS: Final[LiteralString] = """
select t.relname, g.tgname from pg_trigger g join pg_class t on t.oid = g.tgrelid
where t.relnamespace = 'public'::regnamespace and t.relname = any(%s) and g.tgenabled = 'A'
order by 1, 2
"""

_SECONDARY: Final[LiteralString] = """
select c.relname, pg_get_indexdef(i.indexrelid)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
where t.relnamespace = 'public'::regnamespace and t.relname = any(%s) and not i.indisprimary
order by 1
"""

# h1 … h4 are 31 bits of chance each, the same for the same number of the same book.
_DRAWN: Final[LiteralString] = """
create temporary table drawn on commit drop as
with numbered as (
    select n, md5(%(book_id)s::uuid::text || n) as salt,
        hashint8extended(n, 1) & 2147483647 as h1, hashint8extended(n, 2) & 2147483647 as h2,
        hashint8extended(n, 3) & 2147483647 as h3, hashint8extended(n, 4) & 2147483647 as h4,
        %(first_day)s::date + (n / %(per_day)s)::integer as made_on,
        28800000 + (n %% %(per_day)s) * (43200000 / %(per_day)s) as made_ms
    from generate_series(%(first)s::bigint, %(last)s::bigint) n
), timed as (
    select *, (extract(epoch from made_on)::bigint * 1000 + made_ms) as ms from numbered
)
select n, ms * 1000 + h4 %% 1000 as ver,
    (lpad(to_hex(ms), 12, '0') || '7' || substr(salt, 1, 3) || '9' || substr(salt, 4, 15))::uuid as id,
    (substr(salt, 1, 12) || '4' || substr(salt, 13, 3) || 'a' || substr(salt, 16, 15))::uuid as op_id,
    made_on - (h1 %% 7)::integer as entry_date,
    round((10 ^ (1 + (h2 %% 10000) / 2500.0))::numeric, 2) + (h3 %% 100) / 100.0 as amount,
    case when h1 %% 5 = 0 then 'CR' else 'DR' end as cr_dr,
    (array['Travel', 'Stationery', 'Rent', 'Salary', 'Sales', 'Electricity', 'Internet', 'Repairs', 'Fuel',
        'Food', 'Bank charges', 'किराया', 'चाय-नाश्ता', 'Courier', 'Medical', 'Miscellaneous'])
        [1 + least(h2 %% 16, h3 %% 16)] as category,
    (array['Taxi to', 'Bill of', 'Paid', 'Advance to', 'Received from', 'Parcel for', 'Repair at', 'भुगतान'])
        [1 + h3 %% 8] || ' ' ||
    (array['Sharma Traders', 'Andheri', 'Gupta & Sons', 'Pune depot', 'the landlord', 'Mehta "Steel"',
        'Airport', 'शर्मा जी', 'Iyer Textiles', 'Kolkata office', 'Khan Motors', 'Lakshmi Stores',
        'Patel Papers'])
        [1 + h4 %% 13] || case h1 %% 4
            when 0 then '' when 1 then ', lot ' || h2 %% 100 when 2 then ', invoice ' || 100000 + n
            else ' #' || h4 %% 500 end as description,
    %(code_prefix)s || '-' || lpad(n::text, 6, '0') as human_code,
    %(documents_every)s > 0 and n %% greatest(%(documents_every)s, 1) = 0 as has_bill,
    (substr(salt, 5, 12) || '7' || substr(salt, 2, 3) || '8' || substr(salt, 9, 15))::uuid as bill_id,
    encode(sha256(salt::bytea), 'hex') as sha256, 20000 + h4 %% 900000 as byte_size
from timed
"""

# The texts are what msgspec writes with its keys in order.
_JOURNAL: Final[LiteralString] = """
insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region, at)
select %(book_id)s, d.op_id, r.kind, r.id, d.ver, r.doc, %(user_id)s, %(user_id)s, %(region)s,
    public.bahi_instant(d.ver)
from pg_temp.drawn d, lateral (
    select 0 as part, 'entry' as kind, d.id, format(
        '{"amount":"%%s","category":%%s,"crDr":"%%s","createdVer":%%s,"currency":"INR","description":%%s,'
        '"entryDate":"%%s","humanCode":"%%s"}',
        d.amount::numeric(18, 2), to_json(d.category), d.cr_dr, d.ver, to_json(d.description), d.entry_date,
        d.human_code
    ) as doc
    union all
    select 1, 'document', d.bill_id, format(
        '{"byteSize":%%s,"createdVer":%%s,"docCode":"%%s-1","entryId":"%%s","fileName":"bill-%%s.pdf",'
        '"mediaType":"application/pdf","sha256":"%%s"}',
        d.byte_size, d.ver, substr(d.human_code, 2), d.id, d.n, d.sha256
    )
    where d.has_bill
) r
order by d.n, r.part
"""

_ENTRIES: Final[LiteralString] = """
insert into public.accounting_entry (
    book_id, id, entry_date, amount, cr_dr, currency, category, description, human_code, created_at,
    updated_at, ver, op_id, author
)
select %(book_id)s, d.id, d.entry_date, d.amount, d.cr_dr, 'INR', d.category, d.description, d.human_code,
    public.bahi_instant(d.ver), public.bahi_instant(d.ver), d.ver, d.op_id, %(user_id)s
from pg_temp.drawn d
order by d.n
"""

_DOCUMENTS: Final[LiteralString] = """
insert into public.accounting_document (
    book_id, id, accounting_entry_id, file_path, doc_code, file_name, media_type, byte_size, sha256,
    created_at, ver, op_id
)
select %(book_id)s, d.bill_id, d.id, 'documents/' || %(book_id)s::uuid || '/' || d.sha256,
    substr(d.human_code, 2) || '-1', 'bill-' || d.n || '.pdf', 'application/pdf', d.byte_size, d.sha256,
    public.bahi_instant(d.ver), d.ver, d.op_id
from pg_temp.drawn d
where d.has_bill
order by d.n
"""

_DELTAS: Final[LiteralString] = """
insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
select %(book_id)s, date_trunc('month', d.entry_date::timestamp)::date, d.category, d.cr_dr, d.description,
    d.amount, 1, d.ver
from pg_temp.drawn d
"""
