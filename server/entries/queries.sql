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
    select c.walked, l.entry_date as last_date, l.id as last_id
    from (select count(*) as walked from newest) c
    left join (select n.entry_date, n.id from newest n order by n.entry_date, n.id limit 1) l on true
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

-- name: spellings
-- Each spelling of a category in the book. Categories with long runs of digits are not among the suggestions. Voided
-- entries are not counted, and may never have been.
select s.text, sum(s.uses)::bigint, max(s.last_ver)
from (
    select m.category as text, m.count as uses, 0 as last_ver
    from public.entry_month m
    where m.book_id = %(book_id)s
    union all
    select d.category, d.count, d.ver
    from public.entry_delta d
    where d.book_id = %(book_id)s
    union all
    select t.text, 0, t.last_ver
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'c'
    union all
    select e.category, 0, 0
    from public.accounting_entry e
    where e.book_id = %(book_id)s and e.voided_at is not null and %(with_voided)s
) s
group by s.text;

-- name: uses
-- Not a statement: {uses} in others. The uses of each spelling of a category, from the few rows of suggestions.
select s.text, sum(s.uses)::bigint as uses, max(s.last_ver) as last_ver
from (
    select t.text, t.uses, t.last_ver
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'c'
    union all
    select d.category, d.count, d.ver
    from public.entry_delta d
    where d.book_id = %(book_id)s
) s
group by s.text;

-- name: summary_of_months
-- Whole months come from the totals by month and the deltas that are not in them yet. The days before and after come
-- from the entries. The spellings of the book's categories follow the totals, without a direction.
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
), total as (
    select p.month, p.category, p.cr_dr, sum(p.amount) as amount, sum(p.count)::bigint as count
    from parts p
    where p.cr_dr = any(%(directions)s::text[])
      and (%(category)s = '' or p.category = any(%(categories)s::text[]))
    group by grouping sets ((p.cr_dr), (p.category, p.cr_dr), (p.month, p.cr_dr))
    having sum(p.count) <> 0
)
select t.month, t.category, t.cr_dr, t.amount, t.count, null::bigint from total t
union all
select null, u.text, null, null, u.uses, u.last_ver from ({uses}) u;

-- name: summary_of_matches
with total as (
    select date_trunc('month', e.entry_date::timestamp)::date as month, e.category, e.cr_dr,
        -- voided entries are counted, but not summed up
        coalesce(sum(e.amount) filter (where e.voided_at is null), 0) as amount, count(*) as count
    from {entries} e
    where e.book_id = %(book_id)s and {voided} and e.entry_date between %(first)s and %(last)s {match}
    group by grouping sets ((e.cr_dr), (e.category, e.cr_dr), (month, e.cr_dr))
)
select t.month, t.category, t.cr_dr, t.amount, t.count, null::bigint from total t
union all
select null, u.text, null, null, u.uses, u.last_ver from ({uses}) u;

-- name: suggest_categories
-- A book has few categories, so all that begin with the prefix are counted. Of those with one key, the most used is
-- suggested, then the newest.
with used as (
    select s.text, sum(s.uses) as uses, max(s.last_ver) as last_ver
    from (
        select t.text, t.uses, t.last_ver
        from public.suggestion t
        where t.book_id = %(book_id)s and t.kind = 'c' and t.text_key like %(pattern)s
        union all
        select d.text, d.uses, d.last_ver
        from (
            select x.category as text, sum(x.count) as uses, max(x.ver) as last_ver
            from public.entry_delta x
            where x.book_id = %(book_id)s
            group by x.category
        ) d
        where public.bahi_search_key(d.text) like %(pattern)s and public.bahi_is_suggestible(d.text)
    ) s
    group by s.text
    having sum(s.uses) > 0
)
select (array_agg(u.text order by u.uses desc, u.last_ver desc, u.text))[1] as text, sum(u.uses)::bigint as uses
from used u
group by public.bahi_search_key(u.text)
order by uses desc, max(u.last_ver) desc, text
limit %(limit)s;

-- name: suggest_descriptions
-- A book may have hundreds of thousands of descriptions, so only some candidates are counted: among the keys that begin
-- with the prefix, the most used (by the index suggestion_rank), the first in order (by the primary key), and those in
-- deltas that are not folded yet. Of the descriptions with one key, the most used is suggested, then the newest. The
-- spellings of their categories are among the rows, without a category of their own.
with top as materialized (
    select t.text_key
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'd'
    order by t.uses desc, t.last_ver desc
    limit 1000
), first as materialized (
    select t.text_key
    from public.suggestion t
    where t.book_id = %(book_id)s and t.kind = 'd' and t.text_key like %(pattern)s
    order by t.text_key, t.text
    limit 300
), unfolded as materialized (
    select left(public.bahi_search_key(d.text), 300) as text_key, d.*
    from (
        select x.description as text, x.category, x.cr_dr, sum(x.count) as uses, max(x.ver) as last_ver
        from public.entry_delta x
        where x.book_id = %(book_id)s
        group by x.description, x.category, x.cr_dr
    ) d
    where public.bahi_search_key(d.text) like %(pattern)s and public.bahi_is_suggestible(d.text)
), candidate as materialized (
    (select t.text_key from top t where t.text_key like %(pattern)s limit 100)
    union
    select f.text_key from first f
    union
    select u.text_key from unfolded u
), used as (
    select s.text_key, s.text, s.category, s.cr_dr, sum(s.uses)::bigint as uses, max(s.last_ver) as last_ver
    from (
        select t.text_key, t.text, t.category, t.cr_dr, t.uses, t.last_ver
        from candidate c
        cross join lateral (
            select * from public.suggestion x
            where x.book_id = %(book_id)s and x.kind = 'd' and x.text_key = c.text_key
            offset 0
        ) t
        union all
        select u.text_key, u.text, u.category, u.cr_dr, u.uses, u.last_ver from unfolded u
    ) s
    group by s.text_key, s.text, s.category, s.cr_dr
    having sum(s.uses) > 0
), ranked as (
    select u.text_key, sum(u.uses)::bigint as uses, max(u.last_ver) as last_ver,
        min(u.text) as first_text, max(u.text) as last_text,
        (array_agg(u.category order by u.last_ver desc))[1] as category,
        (array_agg(u.cr_dr order by u.last_ver desc))[1] as cr_dr
    from used u
    group by u.text_key
    order by uses desc, last_ver desc, u.text_key
    limit %(limit)s
), found as materialized (
    select r.uses, r.category, r.cr_dr, r.last_ver, case when r.first_text = r.last_text then r.first_text else (
            select u.text
            from used u
            where u.text_key = r.text_key
            group by u.text
            order by sum(u.uses) desc, max(u.last_ver) desc, u.text
            limit 1
        ) end as text
    from ranked r
)
select f.text, f.uses, f.category, f.cr_dr, f.last_ver from found f
union all
select s.text, sum(s.uses)::bigint, null, null, max(s.last_ver)
from (
    (
        select t.text, t.uses, t.last_ver
        from public.suggestion t
        where t.book_id = %(book_id)s and t.kind = 'c'
          and t.text_key = any(array(select left(public.bahi_search_key(f.category), 300) from found f))
        order by t.text_key, t.text -- by the primary key
        limit 1000
    )
    union all
    select d.category, d.count, d.ver from public.entry_delta d where d.book_id = %(book_id)s
) s
group by s.text
order by uses desc, last_ver desc, text;

-- name: export_csv
-- The CSV export: every row of the filter, oldest first (the list index backwards). bahi_guarded() puts an apostrophe
-- before a cell that a spreadsheet would run as a formula, and replaces line breaks by spaces. An export may have a
-- million rows, so the expensive parts run only for rows that need them: an entry that never changed has one revision,
-- most entries have at most one bill, and most descriptions need no guarding. {category} is the category as it was typed,
-- unless the book has several spellings of one.
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
        public.bahi_guarded({category}) as "Category",
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
    left join bills b on b.id = e.id {spelled}
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
