"""Checks the databases and stores of several regions after a campaign, without their servers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from tests.support.exact import not_highest, wrong_totals, wrong_uses
from tests.support.kill_verdict import Verdict, judge_store
from tests.support.postgres import rows

_PAUSE_SECONDS: Final = 0.1

# Where and when a copy was accepted (region, server, at) is no part of what must be equal.
TABLES: Final[Mapping[str, LiteralString]] = {
    "journal": "select (book_id, op_id, kind, id, ver, doc, author, device)::text from public.journal",
    "accounting_entry": "select t::text from public.accounting_entry t",
    "accounting_document": "select t::text from public.accounting_document t",
    "app_user": "select t::text from public.app_user t",
    "credential": "select t::text from public.credential t",
    "username_claim": "select t::text from public.username_claim t",
    "device": "select t::text from public.device t",
    "refresh_use": "select (book_id, fam, gen, rid_hash)::text from public.refresh_use",
    "revocation": "select (book_id, fam)::text from public.revocation",
    "invite_use": "select (book_id, jti)::text from public.invite_use",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one region: what each table holds, in one word, and how many rows."""

    digests: Mapping[str, tuple[int, str]]

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each table has."""
        return {name: count for name, (count, _) in self.digests.items()}


def standing(url: str) -> Standing:
    """Read every table that must be the same everywhere, in one snapshot."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = {name: connection.execute(_digest(text)).fetchone() for name, text in TABLES.items()}
    return Standing({name: (row[0], row[1]) for name, row in found.items() if row is not None})


def wait_until_equal(urls: Mapping[str, str], seconds: float) -> float:
    """Wait until all regions hold the same; return how long it took. Raises AssertionError: what differs.

    The journals are counted first: that is cheap.
    """
    began = time.monotonic()
    while True:
        counts = {rows(url, "select count(*) from public.journal")[0][0] for url in urls.values()}
        if len(counts) == 1 and len({str(standing(url).digests) for url in urls.values()}) == 1:
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not equal after {seconds:.0f} s: {_differing(urls)}")
        time.sleep(_PAUSE_SECONDS)


def diverged_rows(urls: Mapping[str, str]) -> int:
    """Count the rows that are not in every region alike, and those that do not follow from the journal."""
    wrong = sum(len(check(url)) for url in urls.values() for check in (not_highest, wrong_totals, wrong_uses))
    for text in TABLES.values():
        held = [{row for (row,) in rows(url, text)} for url in urls.values()]
        wrong += len(set.union(*held) - set.intersection(*held))
    return wrong


def missing_operations(urls: Mapping[str, str], acknowledged: Mapping[str, int]) -> int:
    """Count, over all regions, the acknowledged operations of which records (so many were taken) lack."""
    statement: LiteralString = "select op_id::text, count(*) from public.journal group by op_id"
    held = [dict(rows(url, statement)) for url in urls.values()]
    return sum(each.get(op_id, 0) < records for each in held for op_id, records in acknowledged.items())


def bills_of(url: str, operations: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the SHA-256s of each standing entry's bills, those that came by `operations` or all."""
    wanted: dict[str, list[str]] = {}
    for entry, sha256 in rows(url, _BILLS, operations, operations):
        wanted.setdefault(entry, []).append(sha256)
    return wanted


def not_whole(url: str, folder: Path, wanted: Mapping[str, Sequence[str]]) -> list[str]:
    """Return those of `wanted` (entry → SHA-256s of its bills) that a region's database and the store below
    `folder` do not have complete, in tables and journal."""
    bills: dict[str, set[str]] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for entry, sha256, path, size in connection.execute(_WHOLE, [list(wanted)]):
            whole = bills.setdefault(entry, set())
            if path and _is_there(folder / path, size):
                whole.add(sha256)
    return [id_ for id_, needed in wanted.items() if id_ not in bills or not bills[id_].issuperset(needed)]


def judge_regions(
    stores: Mapping[str, tuple[str, Path]],
    saved: Mapping[str, Mapping[str, Any]],
    drained: Sequence[Mapping[str, Any]],
) -> Verdict:
    """Look into every region: its database, and the folder above its store; what is wrong in any counts."""
    verdicts = [judge_store(url, folder, saved, drained) for url, folder in stores.values()]
    names = Verdict.__slots__
    same = ("shown", "stored", "bills")
    return Verdict(
        **{name: (min if name in same else sum)(getattr(v, name) for v in verdicts) for name in names}
    )


def judge_when_copied(
    stores: Mapping[str, tuple[str, Path]],
    saved: Mapping[str, Mapping[str, Any]],
    drained: Sequence[Mapping[str, Any]],
    seconds: float,
) -> Verdict:
    """Judge them as `judge_regions` does, but give the bills, which come after their rows, so long."""
    deadline = time.monotonic() + seconds
    verdict = judge_regions(stores, saved, drained)
    while verdict.bills_differ and time.monotonic() < deadline:
        time.sleep(1)
        verdict = judge_regions(stores, saved, drained)
    return verdict


def forget_book(url: str, book_id: str) -> None:
    """Take a book out of a region, so that the others can be judged; no roll-up is at it meanwhile."""
    with psycopg.connect(url) as connection:
        for statement in _FORGET:
            connection.execute(statement, (book_id,))


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _differing(urls: Mapping[str, str]) -> str:
    held = {code: standing(url).rows for code, url in urls.items()}
    differing = [
        name for name in TABLES if len({str(standing(url).digests[name]) for url in urls.values()}) > 1
    ]
    return f"{differing}, rows {held}"


def _digest(statement: LiteralString) -> LiteralString:
    digest: LiteralString = "select count(*), coalesce(sum(hashtextextended(line, 0)::numeric), 0)::text"
    return digest + " from (" + statement + ") as held (line)"


_BILLS: Final[LiteralString] = """
select e.id::text, d.sha256::text
from public.accounting_entry e
join public.accounting_document d on d.book_id = e.book_id and d.accounting_entry_id = e.id
where d.voided_at is null and e.voided_at is null
    and (%s::uuid[] is null or d.op_id = any(%s::uuid[]))"""

_FORGET: Final[tuple[LiteralString, ...]] = (
    "select pg_advisory_xact_lock(hashtextextended('rollup ' || %s, 0))",
    "delete from public.journal where book_id = %s",
    "delete from public.accounting_entry where book_id = %s",
    "delete from public.accounting_document where book_id = %s",
    "delete from public.app_user where book_id = %s",
    "delete from public.credential where book_id = %s",
    "delete from public.username_claim where book_id = %s",
    "delete from public.device where book_id = %s",
    "delete from public.entry_delta where book_id = %s",
    "delete from public.entry_month where book_id = %s",
    "delete from public.suggestion where book_id = %s",
)
_WHOLE: Final[LiteralString] = """
select e.id::text, d.sha256::text, d.file_path, d.byte_size
from public.accounting_entry e
join public.journal j on j.book_id = e.book_id and j.op_id = e.op_id and j.kind = 'entry' and j.id = e.id
left join public.accounting_document d on d.book_id = e.book_id and d.accounting_entry_id = e.id
    and d.voided_at is null
where e.id = any(%s::uuid[]) and e.voided_at is null"""
