-- Totals and suggestions. A version only INSERTs what it takes away and what it adds; a background roll-up
-- folds these deltas into the tables, and readers add what is not folded yet. Upserting a hot row inside the
-- merge instead grows with the square of a transaction's size.
create table public.entry_delta (
    book_id uuid not null,
    seq bigint generated always as identity,
    month date not null,
    category varchar(100) not null,
    cr_dr char(2) not null,
    description varchar(500) not null,
    amount numeric(20, 2) not null, -- signed: a version that is replaced is taken away
    count integer not null check (count in (-1, 1)),
    ver bigint not null,
    primary key (book_id, seq)
);

create table public.entry_month (
    book_id uuid not null,
    month date not null,
    category varchar(100) not null,
    cr_dr char(2) not null,
    amount numeric(24, 2) not null,
    count bigint not null,
    primary key (book_id, month, category, cr_dr)
);

-- What was typed before. A description is kept for each category and direction that it went with.
-- last_ver is the highest version that ever used the row: a hint for ranking, not a sum.
create table public.suggestion (
    book_id uuid not null,
    kind char(1) not null check (kind in ('c', 'd')), -- category, description
    text_key varchar(500) collate "pg_c_utf8" not null, -- lower(text)
    text varchar(500) not null,
    category varchar(100) not null, -- '' for kind c
    cr_dr varchar(2) not null, -- '' for kind c
    uses bigint not null,
    last_ver bigint not null,
    primary key (book_id, kind, text_key, text, category, cr_dr)
);
create index suggestion_rank on public.suggestion (book_id, kind, uses desc, last_ver desc);

create function public.bahi_entry_deltas() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.voided_at is null then
        insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
        values (old.book_id, date_trunc('month', old.entry_date::timestamp)::date, old.category, old.cr_dr,
                old.description, -old.amount, -1, old.ver);
    end if;
    if new.voided_at is null then
        insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
        values (new.book_id, date_trunc('month', new.entry_date::timestamp)::date, new.category, new.cr_dr,
                new.description, new.amount, 1, new.ver);
    end if;
    return null;
end $$;
create trigger accounting_entry_deltas after insert or update on public.accounting_entry
    for each row execute function public.bahi_entry_deltas();
alter table public.accounting_entry enable always trigger accounting_entry_deltas;

-- Entries that were there before the trigger; its lock is held, so none comes between.
insert into public.entry_delta (book_id, month, category, cr_dr, description, amount, count, ver)
select e.book_id, date_trunc('month', e.entry_date::timestamp)::date, e.category, e.cr_dr, e.description,
    e.amount, 1, e.ver
from public.accounting_entry e
where e.voided_at is null;

-- Texts with long runs of digits (invoice numbers) hardly ever come again.
create function public.bahi_is_suggestible(text varchar) returns boolean
    language sql immutable parallel safe
    return text <> '' and text !~ '[0-9]{5}';
