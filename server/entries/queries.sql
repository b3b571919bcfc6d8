-- name: page
-- The listing. Reads the index accounting_entry_list from the cursor. Texts in braces are replaced by fixed SQL of
-- server/entries/search.py. If active and voided entries are listed, the query between {each} and {/each} runs for
-- both, because each has a partial index of its own.
select p.id::text, p.entry_date::text as date_text, p.amount::text as amount_text, p.cr_dr, p.currency,
    p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = p.book_id and d.accounting_entry_id = p.id and d.voided_at is null),
    to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p.ver,
    to_char(p.voided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from (
    {each}
    select * from public.accounting_entry e
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s
      and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s) {match}
    order by e.entry_date desc, e.id desc
    limit %(limit)s
    {/each}
) p
order by p.entry_date desc, p.id desc
limit %(limit)s;

-- name: page_of_keys
-- The listing with a filter that few rows may match. The index includes category and direction, so rows that do not
-- match are skipped without reading the table. With a plain select, the planner reads all books for a rare category.
select p.id::text, p.entry_date::text as date_text, p.amount::text as amount_text, p.cr_dr, p.currency,
    p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = p.book_id and d.accounting_entry_id = p.id and d.voided_at is null),
    to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p.ver,
    to_char(p.voided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from (
    {each}
    select e.entry_date, e.id
    from (
        select e.book_id, e.entry_date, e.id, e.category, e.cr_dr from public.accounting_entry e
        where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s
          and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s)
        order by e.entry_date desc, e.id desc
        offset 0 -- optimization fence: reads the rows in index order before the filter is applied
    ) e
    where true {match}
    order by e.entry_date desc, e.id desc
    limit %(limit)s
    {/each}
) k
cross join lateral (
    select * from public.accounting_entry x where x.book_id = %(book_id)s and x.id = k.id offset 0
) p
order by p.entry_date desc, p.id desc
limit %(limit)s;

-- name: walk
-- Searches only the next rows of the listing. Returns how many rows were read, the key of the last of them, and the
-- rows that match.
with newest as materialized (
    select * from (
        {each}
        select * from public.accounting_entry e
        where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s
          and (e.entry_date, e.id) < (%(cursor_date)s, %(cursor_id)s)
        order by e.entry_date desc, e.id desc
        limit %(walk)s
        {/each}
    ) b
    order by b.entry_date desc, b.id desc
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
    to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p.ver,
    to_char(p.voided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from reached r left join hits p on true
order by p.entry_date desc, p.id desc;

-- name: find
-- A search through the trigram index. `materialized` forces its use; the planner's estimates for it are wrong by a
-- factor of a hundred in both directions.
with hits as materialized (
    select * from {entries} e
    where e.book_id = %(book_id)s and {voided} {words}
)
select p.id::text, p.entry_date::text as date_text, p.amount::text as amount_text, p.cr_dr, p.currency,
    p.category, p.description, p.human_code,
    (select count(*) from public.accounting_document d
     where d.book_id = %(book_id)s and d.accounting_entry_id = p.id and d.voided_at is null),
    to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), p.ver,
    to_char(p.voided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
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
    to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    to_char(e.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.ver,
    to_char(e.voided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
from public.accounting_entry e
where e.book_id = %(book_id)s and e.id = %(id)s;

-- name: documents
select d.id::text, d.doc_code, d.file_name, d.media_type, d.byte_size, d.sha256
from public.accounting_document d
where d.book_id = %(book_id)s and d.accounting_entry_id = %(id)s and d.voided_at is null
order by d.created_at, length(d.doc_code), d.doc_code;

-- name: current_version
select e.ver, e.op_id from public.accounting_entry e where e.book_id = %(book_id)s and e.id = %(id)s;

-- name: summary_of_months
-- Whole months come from the totals by month and the deltas that are not in them yet. The days before and after come
-- from the entries.
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
    -- voided entries are counted, but not summed up
    coalesce(sum(e.amount) filter (where e.voided_at is null), 0), count(*)
from {entries} e
where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s {match}
group by grouping sets ((e.cr_dr), (e.category, e.cr_dr), (month, e.cr_dr));

-- name: suggest_categories
-- A book has few categories, so all that begin with the prefix are counted.
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
-- A book may have hundreds of thousands of descriptions, so only some candidates are counted: among those that begin
-- with the prefix, the most used (by the index suggestion_rank), the first in order (by the primary key), and those in
-- deltas that are not folded yet.
with top as materialized (
    select t.text_key, t.text
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'd'
    order by t.uses desc, t.last_ver desc
    limit 1000
), first as materialized (
    select t.text_key, t.text
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'd' and t.text_key like %(pattern)s
    order by t.text_key, t.text
    limit 300
), unfolded as materialized (
    select d.description as text, d.category, d.cr_dr, d.count, d.ver
    from public.entry_delta d
    where d.book_id = %(book_id)s and lower(d.description collate "pg_c_utf8") like %(pattern)s
      and public.bahi_is_suggestible(d.description)
), candidate as materialized (
    (select t.text_key, t.text from top t where t.text_key like %(pattern)s limit 100)
    union
    select f.text_key, f.text from first f
    union
    select lower(u.text collate "pg_c_utf8"), u.text from unfolded u
), used as (
    select s.text, s.category, s.cr_dr, sum(s.uses)::bigint as uses, max(s.last_ver) as last_ver
    from (
        select t.text, t.category, t.cr_dr, t.uses, t.last_ver
        from candidate c
        cross join lateral (
            select * from public.suggestion x
            where x.book_id = %(book_id)s and x.kind = 'd' and x.text_key = c.text_key and x.text = c.text
            offset 0
        ) t
        union all
        select u.text, u.category, u.cr_dr, u.count, u.ver from unfolded u
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
-- The CSV export: every row of the filter, oldest first (the list index backwards). bahi_guarded() puts an apostrophe
-- before a cell that a spreadsheet would run as a formula, and replaces line breaks by spaces. An export may have a
-- million rows, so the expensive parts run only for rows that need them: an entry that never changed has one revision,
-- most entries have at most one bill, and most descriptions need no guarding.
copy (
    with names as materialized (
        select a.id, public.bahi_guarded(a.display_name) as name
        from public.app_user a where a.book_id = %(book_id)s
    ), bills as (
        select x.accounting_entry_id as id, count(*) as count, min(x.doc_code) as code,
            min(x.media_type) as media_type
        from public.accounting_document x
        where x.book_id = %(book_id)s and x.voided_at is null
        group by x.accounting_entry_id
    )
    select e.human_code as "Code", e.entry_date as "Date",
        case when e.cr_dr = 'DR' then e.amount end as "Money Out",
        case when e.cr_dr = 'CR' then e.amount end as "Money In",
        case when e.cr_dr = 'CR' then e.amount else -e.amount end as "Net",
        e.cr_dr as "CR/DR", e.currency as "Currency",
        public.bahi_guarded(e.category) as "Category",
        case when e.description < 'A' collate "C" or position(e'\n' in e.description) > 0
                or position(e'\r' in e.description) > 0
            then public.bahi_guarded(e.description) else e.description end as "Description",
        coalesce(b.count, 0) as "Document Count",
        case when b.count = 1 then public.bahi_document_path(e.entry_date, b.code, b.media_type)
            when b.count > 1 then (
                select string_agg(
                    public.bahi_document_path(e.entry_date, x.doc_code, x.media_type), ';'
                    order by x.created_at, length(x.doc_code), x.doc_code
                )
                from public.accounting_document x
                where x.book_id = e.book_id and x.accounting_entry_id = e.id and x.voided_at is null
            ) end as "Document Files",
        case when e.voided_at is null then 'active' else 'voided' end as "Status",
        coalesce(n.name, '') as "Entered By",
        to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "Created UTC",
        to_char(e.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "Modified UTC",
        case when e.updated_at = e.created_at then 1 else (
            select count(*) from public.journal j
            where j.book_id = e.book_id and j.kind = 'entry' and j.id = e.id
        ) end as "Revision"
    from {entries} e
    left join names n on n.id = e.author
    left join bills b on b.id = e.id
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s {match}
    order by e.entry_date, e.id
) to stdout (format csv, header true);

-- name: version_doc
select j.doc from public.journal j
where j.book_id = %(book_id)s and j.kind = 'entry' and j.id = %(id)s and j.ver = %(ver)s
order by j.op_id desc limit 1;

-- name: versions
select j.op_id::text, j.ver, j.doc, coalesce(u.display_name, ''), coalesce(v.display_name, ''), j.region
from public.journal j
left join public.app_user u on u.book_id = j.book_id and u.id = j.author
left join public.device v on v.book_id = j.book_id and v.id = j.device
where j.book_id = %(book_id)s and j.kind = 'entry' and j.id = %(id)s
order by j.ver desc, j.op_id desc;

-- name: document_versions
-- A bill never changes its entry, so accounting_document has every bill that ever belonged to it.
select j.op_id::text, j.ver, j.id::text, j.doc
from public.accounting_document d
join public.journal j on j.book_id = d.book_id and j.kind = 'document' and j.id = d.id
where d.book_id = %(book_id)s and d.accounting_entry_id = %(id)s
order by j.ver, j.op_id, j.id;

-- name: digest
-- One pass over every version of the book. The first 128 bits of each row's SHA-256 are added up as two numbers, so the
-- order of the rows does not matter. Author, device, region and time of arrival are not part of the hash.
select
    (select count(*) from public.accounting_entry e where e.book_id = %(book_id)s),
    (select count(*) from public.accounting_document d where d.book_id = %(book_id)s),
    count(*), coalesce(sum(h.high), 0), coalesce(sum(h.low), 0)
from public.journal j
cross join lateral (
    select encode(sha256(convert_to(concat_ws(' ', j.kind, j.id, j.ver, j.op_id, j.doc), 'UTF8')), 'hex') as hex
    offset 0 -- optimization fence: otherwise the hash would be computed once for each half
) s
cross join lateral (
    select ('x' || substr(s.hex, 1, 16))::bit(64)::bigint as high,
        ('x' || substr(s.hex, 17, 16))::bit(64)::bigint as low
) h
where j.book_id = %(book_id)s and j.kind in ('entry', 'document');
