"""Invariants of the tables as SQL queries. A query that returns rows has found a violation."""

from typing import Any, Final, LiteralString

from tests.support.postgres import rows


def not_highest(url: str) -> list[tuple[Any, ...]]:
    """Return the records of the two tables that are not at their highest version in the journal: none."""
    return rows(url, NOT_HIGHEST)


def wrong_totals(url: str) -> list[tuple[Any, ...]]:
    """Return where month totals plus deltas differ from a plain GROUP BY over the entries: nowhere."""
    return rows(url, WRONG_TOTALS)


def wrong_uses(url: str) -> list[tuple[Any, ...]]:
    """Return where uses of suggestions plus deltas differ from a plain GROUP BY over the entries: nowhere."""
    return rows(url, WRONG_USES)


NOT_HIGHEST: Final[LiteralString] = """
with highest as (
    select distinct on (book_id, kind, id) book_id, kind, id, ver, op_id
    from public.journal where kind in ('entry', 'document')
    order by book_id, kind, id, ver desc, op_id desc
), standing as (
    select book_id, 'entry' as kind, id, ver, op_id from public.accounting_entry
    union all
    select book_id, 'document', id, ver, op_id from public.accounting_document
)
select * from highest h full join standing s using (book_id, kind, id)
where (h.ver, h.op_id) is distinct from (s.ver, s.op_id)
"""

WRONG_TOTALS: Final[LiteralString] = """
with kept as (
    select book_id, month, category, cr_dr, sum(amount) as amount, sum(count) as count
    from (
        select book_id, month, category, cr_dr, amount, count from public.entry_month
        union all
        select book_id, month, category, cr_dr, amount, count from public.entry_delta
    ) parts
    group by 1, 2, 3, 4
    having sum(count) <> 0 or sum(amount) <> 0
), counted as (
    select book_id, date_trunc('month', entry_date::timestamp)::date as month, category, cr_dr,
        sum(amount) as amount, count(*) as count
    from public.accounting_entry
    where voided_at is null
    group by 1, 2, 3, 4
)
select *
from kept k full join counted c using (book_id, month, category, cr_dr)
where (k.amount, k.count) is distinct from (c.amount, c.count)
"""

WRONG_USES: Final[LiteralString] = """
with kept as (
    select book_id, kind, text, category, cr_dr, sum(uses) as uses
    from (
        select book_id, kind, text, category, cr_dr, uses from public.suggestion
        union all
        select book_id, 'c', category, '', '', count from public.entry_delta
        union all
        select book_id, 'd', description, category, cr_dr, count from public.entry_delta
    ) parts
    where public.bahi_is_suggestible(text)
    group by 1, 2, 3, 4, 5
    having sum(uses) <> 0
), counted as (
    select book_id, kind, text, category, cr_dr, count(*) as uses
    from (
        select book_id, 'c' as kind, category as text, '' as category, '' as cr_dr
        from public.accounting_entry where voided_at is null
        union all
        select book_id, 'd', description, category, cr_dr
        from public.accounting_entry where voided_at is null
    ) parts
    where public.bahi_is_suggestible(text)
    group by 1, 2, 3, 4, 5
)
select *
from kept k full join counted c using (book_id, kind, text, category, cr_dr)
where k.uses is distinct from c.uses
"""
