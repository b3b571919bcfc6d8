-- oldest program: 0007
-- What a region of an older version took from newer ones holds keys that it did not know: they stand in the
-- journal, and not in the table. A later migration brings the column, and merges such records again.

-- So a merge must be able to repeat itself: the very version that stands already is written anew.
do $$
declare
    merge text;
begin
    foreach merge in array array['entry', 'document', 'user', 'credential', 'username', 'device'] loop
        execute replace(
            pg_get_functiondef(format('public.bahi_merge_%s', merge)::regproc),
            'where (excluded.ver, excluded.op_id) > (t.ver, t.op_id)',
            'where (excluded.ver, excluded.op_id) >= (t.ver, t.op_id)'
        );
    end loop;
end $$;

-- For the end of a migration that adds a column: -- afterwards, call public.bahi_merge_again('entry', 'aKey').
-- In batches of their own transactions, so that nobody waits long for a record. A newer version that comes
-- meanwhile stays: it was merged by the new function already. Written so that no statistics lead astray: each
-- batch is a walk along the key, and one look into the journal's for each of its records.
create procedure public.bahi_merge_again(of_kind text, key text) language plpgsql as $$
declare
    merged regclass := format('public.%I', case of_kind
        when 'entry' then 'accounting_entry' when 'document' then 'accounting_document' when 'user' then 'app_user'
        when 'credential' then 'credential' when 'username' then 'username_claim' when 'device' then 'device' end);
    batch text := format(
        'with batch as materialized (
            select t.book_id, t.id, t.op_id from %s t
            where (t.book_id, t.id) > ($1, $2) order by t.book_id, t.id limit 500
        ), again as materialized (
            select count(public.%I(j.r)) from batch b cross join lateral (
                select j as r, j.doc from public.journal j
                where j.book_id = b.book_id and j.op_id = b.op_id and j.kind = $3 and j.id = b.id
                offset 0
            ) j
            where strpos(j.doc, to_json($4)::text) > 0 and j.doc::jsonb ? $4
        )
        select b.book_id, b.id from batch b, again order by 1 desc, 2 desc limit 1',
        merged, 'bahi_merge_' || of_kind);
    after_book uuid := '00000000-0000-0000-0000-000000000000';
    after_id uuid := after_book;
    last_book uuid;
    last_id uuid;
    is_done boolean;
begin
    loop
        begin
            perform set_config('lock_timeout', '800ms', true);
            execute batch into last_book, last_id using after_book, after_id, of_kind, key;
            is_done := true;
        exception when lock_not_available or deadlock_detected then
            is_done := false; -- somebody writes the same records: they go first
        end;
        commit;
        if is_done then
            exit when last_id is null;
            after_book := last_book;
            after_id := last_id;
        else
            perform pg_sleep(random());
        end if;
    end loop;
end $$;

-- A record that somebody took out of its table by hand comes back by a repeated merge; its money must be gone meanwhile.
create or replace function public.bahi_entry_deltas() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' and old.voided_at is null then
        insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
        values (old.book_id, date_trunc('month', old.entry_date::timestamp)::date, old.category, old.cr_dr,
                old.description, -old.amount, -1, old.ver);
    end if;
    if tg_op <> 'DELETE' and new.voided_at is null then
        insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
        values (new.book_id, date_trunc('month', new.entry_date::timestamp)::date, new.category, new.cr_dr,
                new.description, new.amount, 1, new.ver);
    end if;
    return null;
end $$;
create or replace trigger accounting_entry_deltas after insert or update or delete on public.accounting_entry
    for each row execute function public.bahi_entry_deltas();
alter table public.accounting_entry enable always trigger accounting_entry_deltas;
