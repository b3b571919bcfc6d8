"""Checks the result of a kill campaign: every entry shown as saved exists once, complete, with its bills."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, LiteralString

from app.paths import Paths
from server.db.embedded import EmbeddedPostgres
from tests.support.postgres import rows

_ENTRIES: Final[LiteralString] = """
select e.id::text, e.human_code, e.entry_date::text, e.amount::text, e.cr_dr::text, e.category, e.description,
    coalesce(array_agg(d.sha256::text order by d.id) filter (where d.id is not null), '{}'),
    (select count(*) from public.journal j where j.book_id = e.book_id and j.op_id = e.op_id),
    e.book_id::text
from public.accounting_entry e
left join public.accounting_document d on d.book_id = e.book_id and d.accounting_entry_id = e.id
    and d.voided_at is null
where e.voided_at is null
group by e.book_id, e.id"""
_DOCUMENTS: Final[LiteralString] = """
select file_path, sha256::text, byte_size from public.accounting_document d
where d.voided_at is null and exists (
    select from public.accounting_entry e where e.book_id = d.book_id and e.id = d.accounting_entry_id)"""
_ORPHANS: Final[LiteralString] = """
select count(*) from public.accounting_document d where not exists (
    select from public.accounting_entry e where e.book_id = d.book_id and e.id = d.accounting_entry_id)"""
_DERIVED: Final[LiteralString] = """
select sum(count)::bigint, sum(amount) filter (where cr_dr = 'DR'), sum(amount) filter (where cr_dr = 'CR')
from (select cr_dr, amount, count from public.entry_month union all
      select cr_dr, amount, count from public.entry_delta) x"""
_PLAIN: Final[LiteralString] = """
select count(*), sum(amount) filter (where cr_dr = 'DR'), sum(amount) filter (where cr_dr = 'CR')
from public.accounting_entry where voided_at is null"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Numbers of what is wrong, but for `shown`, `stored` and `bills`.

    `half` are entries whose bills or journal rows are not all there, `changed` those that do not say what was
    saved, `stuck` those that did not leave the outbox.
    """

    shown: int
    stored: int
    bills: int
    lost: int
    doubled: int
    changed: int
    half: int
    bills_differ: int
    stuck: int
    totals_differ: int

    @property
    def clean(self) -> bool:
        """Return whether nothing is wrong."""
        wrong = (self.lost, self.doubled, self.changed, self.half, self.bills_differ, self.stuck)
        return not any(wrong) and not self.totals_differ


def judge(paths: Paths, saved: Mapping[str, Mapping[str, Any]], drained: Mapping[str, Any]) -> Verdict:
    """Look into the database and the store, asked without the server. The program has ended."""
    postgres = EmbeddedPostgres(paths.server)
    try:
        return judge_store(postgres.start(), paths.server, saved, [drained])
    finally:
        postgres.stop()


def judge_store(
    url: str, folder: Path, saved: Mapping[str, Mapping[str, Any]], drained: Sequence[Mapping[str, Any]]
) -> Verdict:
    """Look into a database and the store below `folder`; `drained` is what each program told at its end."""
    entries = {row[0]: row[1:] for row in rows(url, _ENTRIES)}
    documents = rows(url, _DOCUMENTS)
    derived, plain = _sums(rows(url, _DERIVED)[0]), _sums(rows(url, _PLAIN)[0])
    return Verdict(
        shown=len(saved),
        stored=len(entries),
        bills=len(documents),
        lost=sum(id_ not in entries for id_ in saved),
        doubled=_repeats((row[8], row[0]) for row in entries.values())
        + _repeats(row[5] for row in entries.values()),
        changed=sum(_said(entries[id_]) != _meant(entry) for id_, entry in saved.items() if id_ in entries),
        half=int(rows(url, _ORPHANS)[0][0]) + sum(_is_half(row) for row in entries.values()),
        bills_differ=sum(_differs(folder, *row) for row in documents),
        stuck=sum(int(each["refused"]) + int(each["waiting"]) for each in drained),
        totals_differ=sum(sums != plain for sums in (derived, _told(drained))),
    )


def _told(drained: Sequence[Mapping[str, Any]]) -> tuple[int, Decimal, Decimal]:
    count = sum(int(each["count"]) for each in drained)
    return count, _total(drained, "out"), _total(drained, "in")


def _total(drained: Sequence[Mapping[str, Any]], name: str) -> Decimal:
    return sum((Decimal(each[name]) for each in drained), Decimal(0))


def _sums(row: tuple[Any, ...]) -> tuple[int, Decimal, Decimal]:
    return int(row[0]), Decimal(row[1] or 0), Decimal(row[2] or 0)


def _repeats(values: Any) -> int:
    return sum(count - 1 for count in Counter(values).values())


def _said(row: tuple[Any, ...]) -> list[Any]:
    return [*row[:6], list(row[6])]


def _meant(entry: Mapping[str, Any]) -> list[Any]:
    amount = f"{Decimal(entry['amount']):.2f}"
    texts = [entry["code"], entry["date"], amount, entry["cr_dr"], entry["category"], entry["description"]]
    return [*texts, list(entry["bills"])]


def _is_half(row: tuple[Any, ...]) -> bool:
    """Compare with the number of bills that the description names, reported or not."""
    meant = int(re.fullmatch(r"kill \d+-\d+ bills (\d+)", row[5])[1])  # type: ignore[index]
    return len(row[6]) != meant or row[7] != meant + 1


def _differs(folder: Path, file_path: str, sha256: str, byte_size: int) -> bool:
    file = folder / file_path
    if not file.is_file() or file.stat().st_size != byte_size:
        return True
    return hashlib.sha256(file.read_bytes()).hexdigest() != sha256
