-- name: page
-- The listing: walks accounting_entry_list from the cursor. {voided} and {match} are fixed texts of ours.
select p.id::text, p.entry_date::text as date_text, p.amount::text as amount_text, p.cr_dr, p.currency,
    p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = p.book_id and d.accounting_entry_id = p.id and d.voided_at is null),
    p.created_at, p.updated_at, p.ver, p.voided_at
from (
    select * from public.accounting_entry e
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s
      and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s) {match}
    order by e.entry_date desc, e.id desc
    limit %(limit)s
) p
order by p.entry_date desc, p.id desc;

-- name: walk
-- A search among the next rows of the listing only: returns how many were walked, the last of them, and
-- whatever of them matches.
with newest as materialized (
    select * from public.accounting_entry e
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s
      and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s)
    order by e.entry_date desc, e.id desc
    limit %(walk)s
), reached as (
    select (select count(*) from newest) as walked,
        (select n.entry_date from newest n order by n.entry_date, n.id limit 1) as last_date,
        (select n.id from newest n order by n.entry_date, n.id limit 1) as last_id
), hits as (
    select * from newest e where true {match} order by e.entry_date desc, e.id desc limit %(limit)s
)
select r.walked, r.last_date, r.last_id, p.id::text, p.entry_date::text as date_text,
    p.amount::text as amount_text, p.cr_dr, p.currency, p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = %(book_id)s and d.accounting_entry_id = p.id and d.voided_at is null),
    p.created_at, p.updated_at, p.ver, p.voided_at
from reached r left join hits p on true
order by p.entry_date desc, p.id desc;

-- name: find
-- A search through the trigram index, never left to the planner: it is wrong by a hundred times both ways.
with hits as materialized (
    select * from public.accounting_entry e
    where e.book_id = %(book_id)s and {voided} {words}
)
select p.id::text, p.entry_date::text as date_text, p.amount::text as amount_text, p.cr_dr, p.currency,
    p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = %(book_id)s and d.accounting_entry_id = p.id and d.voided_at is null),
    p.created_at, p.updated_at, p.ver, p.voided_at
from (
    select * from hits e
    where e.entry_date between %(first)s and %(last)s
      and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s) {match}
    order by e.entry_date desc, e.id desc
    limit %(limit)s
) p
order by p.entry_date desc, p.id desc;

-- name: entry
select e.id::text, e.entry_date::text, e.amount::text, e.cr_dr, e.currency, e.category, e.description,
    e.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = e.book_id and d.accounting_entry_id = e.id and d.voided_at is null),
    e.created_at, e.updated_at, e.ver, e.voided_at
from public.accounting_entry e
where e.book_id = %(book_id)s and e.id = %(id)s;

-- name: documents
select d.id::text, d.doc_code, d.file_name, d.media_type, d.byte_size, d.sha256
from public.accounting_document d
where d.book_id = %(book_id)s and d.accounting_entry_id = %(id)s and d.voided_at is null
order by d.created_at, length(d.doc_code), d.doc_code;

-- name: standing_version
select e.ver, e.op_id from public.accounting_entry e where e.book_id = %(book_id)s and e.id = %(id)s;

-- name: summary_of_months
-- Whole months from the month totals and what is not folded yet; the two edges from the entries.
with parts as (
    select m.month, m.category, m.cr_dr, m.amount, m.count
    from public.entry_month m
    where m.book_id = %(book_id)s and m.month between %(first_month)s and %(last_month)s
    union all
    select d.month, d.category, d.cr_dr, d.amount, d.count
    from public.entry_delta d
    where d.book_id = %(book_id)s and d.month between %(first_month)s and %(last_month)s
    union all
    select date_trunc('month', e.entry_date::timestamp)::date, e.category, e.cr_dr, e.amount, 1
    from public.accounting_entry e
    where e.book_id = %(book_id)s and e.voided_at is null
      and e.entry_date between %(head_first)s and %(head_last)s
    union all
    select date_trunc('month', e.entry_date::timestamp)::date, e.category, e.cr_dr, e.amount, 1
    from public.accounting_entry e
    where e.book_id = %(book_id)s and e.voided_at is null
      and e.entry_date between %(tail_first)s and %(tail_last)s
)
select p.month, p.category, p.cr_dr, sum(p.amount), sum(p.count)::bigint
from parts p
where p.cr_dr = any(%(directions)s::text[]) and (%(category)s = '' or p.category = %(category)s)
group by grouping sets ((p.cr_dr), (p.category, p.cr_dr), (p.month, p.cr_dr))
having sum(p.count) <> 0;

-- name: summary_of_matches
select date_trunc('month', e.entry_date::timestamp)::date as month, e.category, e.cr_dr,
    sum(e.amount), count(*)
from public.accounting_entry e
where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s {match}
group by grouping sets ((e.cr_dr), (e.category, e.cr_dr), (month, e.cr_dr));

-- name: suggest_categories
select s.text, sum(s.uses)::bigint as uses
from (
    select t.text, t.uses, t.last_ver
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'c' and t.text_key like %(pattern)s
    union all
    select d.category, d.count, d.ver
    from public.entry_delta d
    where d.book_id = %(book_id)s and lower(d.category collate "pg_c_utf8") like %(pattern)s
      and public.bahi_is_suggestible(d.category)
) s
group by s.text
having sum(s.uses) > 0
order by uses desc, max(s.last_ver) desc, s.text
limit %(limit)s;

-- name: suggest_descriptions
with used as (
    select s.text, s.category, s.cr_dr, sum(s.uses)::bigint as uses, max(s.last_ver) as last_ver
    from (
        select t.text, t.category, t.cr_dr, t.uses, t.last_ver
        from public.suggestion t
        where t.book_id = %(book_id)s and t.kind = 'd' and t.text_key like %(pattern)s
        union all
        select d.description, d.category, d.cr_dr, d.count, d.ver
        from public.entry_delta d
        where d.book_id = %(book_id)s and lower(d.description collate "pg_c_utf8") like %(pattern)s
          and public.bahi_is_suggestible(d.description)
    ) s
    group by s.text, s.category, s.cr_dr
    having sum(s.uses) > 0
)
select u.text, sum(u.uses)::bigint as uses,
    (array_agg(u.category order by u.last_ver desc))[1],
    (array_agg(u.cr_dr order by u.last_ver desc))[1]
from used u
group by u.text
order by uses desc, max(u.last_ver) desc, u.text
limit %(limit)s;

-- name: export_csv
-- The accountant's file: every row of the filter, oldest first (the list index backwards). Cells that a
-- spreadsheet would run as a formula get a leading apostrophe; line breaks inside a cell become spaces.
copy (
    select e.human_code as "Code", e.entry_date as "Date",
        case when e.cr_dr = 'DR' then e.amount end as "Money Out",
        case when e.cr_dr = 'CR' then e.amount end as "Money In",
        case when e.cr_dr = 'CR' then e.amount else -e.amount end as "Net",
        e.cr_dr as "CR/DR", e.currency as "Currency",
        public.bahi_guarded(e.category) as "Category", public.bahi_guarded(e.description) as "Description",
        coalesce(d.count, 0) as "Document Count", d.paths as "Document Files",
        case when e.voided_at is null then 'active' else 'voided' end as "Status",
        public.bahi_guarded(coalesce(u.display_name, '')) as "Entered By",
        to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "Created UTC",
        to_char(e.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "Modified UTC",
        (select count(*) from public.journal j
         where j.book_id = e.book_id and j.kind = 'entry' and j.id = e.id) as "Revision"
    from public.accounting_entry e
    left join public.app_user u on u.book_id = e.book_id and u.id = e.author
    left join lateral (
        select count(*) as count, string_agg(
            public.bahi_document_path(e.entry_date, x.doc_code, x.media_type), ';'
            order by x.created_at, length(x.doc_code), x.doc_code
        ) as paths
        from public.accounting_document x
        where x.book_id = e.book_id and x.accounting_entry_id = e.id and x.voided_at is null
    ) d on true
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s {match}
    order by e.entry_date, e.id
) to stdout (format csv, header true);
