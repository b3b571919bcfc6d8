-- name: append
-- Returns the operation's rows if the journal has them ('known'); otherwise inserts them ('added'). If another
-- operation has created one of the records that this one creates, nothing is inserted ('taken'). A later version
-- of the same record does not count as that: an edit may arrive from one region before the creation of the entry
-- arrives from another.
with known as (
    select j.kind, j.id, j.ver, j.doc, j.at
    from public.journal j
    where j.book_id = %(book_id)s and j.op_id = %(op_id)s
), taken as (
    -- The inner limit makes the planner look up each record by the index. Without it, on a table that was never
    -- analyzed, it joins and reads the whole book.
    select t.id
    from unnest(%(kinds)s::text[], %(ids)s::uuid[], %(creates)s::boolean[]) as n (kind, id, creates)
    cross join lateral (
        select r.id
        from public.journal r
        where r.book_id = %(book_id)s and r.kind = n.kind and r.id = n.id and r.op_id <> %(op_id)s
          and (r.doc::jsonb ->> 'createdVer')::bigint is distinct from %(ver)s::bigint
        limit 1
    ) t
    where n.creates
    limit 1
), added as (
    insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)
    select %(book_id)s, %(op_id)s, u.kind, u.id, %(ver)s, u.doc, %(author)s, %(device)s, %(region)s
    from unnest(%(kinds)s::text[], %(ids)s::uuid[], %(docs)s::text[]) as u (kind, id, doc)
    where not exists (select from known) and not exists (select from taken)
    returning kind, id, ver, doc, at
)
select 'known', kind, id, ver, doc, at from known
union all
select 'added', kind, id, ver, doc, at from added
union all
select 'taken', '', id, 0, '', now() from taken where not exists (select from known);

-- name: next_book -- no book: finds the next book that has deltas
select book_id from public.entry_delta where book_id > %(after)s order by book_id limit 1;

-- name: lock_rollup
select pg_try_advisory_xact_lock(hashtextextended('rollup ' || %(book_id)s::text, 0));

-- name: fold
-- Deletes a batch of deltas and adds them to the totals in one statement. So a reader that sums both tables counts
-- each delta exactly once.
with batch as (
    delete from public.entry_delta d
    where d.book_id = %(book_id)s and d.seq in (
        select p.seq from public.entry_delta p where p.book_id = %(book_id)s order by p.seq limit %(limit)s
    )
    returning d.month, d.category, d.cr_dr, d.description, d.amount, d.count, d.ver
), months as (
    insert into public.entry_month as t (book_id, month, category, cr_dr, amount, count)
    select %(book_id)s, month, category, cr_dr, sum(amount), sum(count) from batch group by 2, 3, 4
    on conflict (book_id, month, category, cr_dr) do update
        set amount = t.amount + excluded.amount, count = t.count + excluded.count
), texts as (
    insert into public.suggestion as t (book_id, kind, text_key, text, category, cr_dr, uses, last_ver)
    select %(book_id)s, s.kind, '', s.text, s.category, s.cr_dr, sum(s.count), max(s.ver) -- a trigger makes text_key
    from (
        select 'c' as kind, category as text, '' as category, '' as cr_dr, count, ver from batch
        union all
        select 'd', description, category, cr_dr, count, ver from batch
    ) s
    where public.bahi_is_suggestible(s.text)
    group by s.kind, s.text, s.category, s.cr_dr
    on conflict (book_id, kind, text_key, text, category, cr_dr) do update
        set uses = t.uses + excluded.uses, last_ver = greatest(t.last_ver, excluded.last_ver)
)
select count(*) from batch;

-- name: find_operations
-- For each operation in the journal: the number of its records, and the SHA-256s of the bills that it adds. A
-- record with voidedVer removes a bill, so it is left out.
select j.op_id, count(*), coalesce(array_agg(j.doc::jsonb ->> 'sha256') filter (
    where j.kind = 'document' and (j.doc::jsonb ->> 'voidedVer') is null
), '{}')
from public.journal j
where j.book_id = %(book_id)s and j.op_id = any(%(op_ids)s)
group by j.op_id;

-- name: recent_of_device
-- Reads the newest page ranges by the BRIN index journal_at, or the whole book if that is smaller.
select j.op_id
from public.journal j
where j.book_id = %(book_id)s and j.device = %(device)s and j.at > now() - %(seconds)s * interval '1 second'
group by j.op_id
limit %(limit)s;
