-- The journal: every version of every record, append-only. It is the only thing that a change writes;
-- triggers on it keep the tables. Names are schema-qualified and triggers are ENABLE ALWAYS because the
-- apply worker of a replication subscription runs them too, with an empty search_path.
create extension if not exists pg_trgm with schema public;
create extension if not exists btree_gin with schema public;

create table public.journal (
    book_id uuid not null,
    op_id uuid not null,
    kind varchar(16) not null,
    id uuid not null,
    ver bigint not null check (ver > 0),
    doc varchar(8192) not null,
    author uuid not null,
    device uuid not null,
    region varchar(32) not null,
    at timestamptz not null default now(),
    primary key (book_id, op_id, kind, id)
);
create index journal_record on public.journal (book_id, kind, id, ver);

-- The journal's texts are JSON, and text so that every carrier can carry them.
create function public.bahi_instant(ver bigint) returns timestamptz
    language sql immutable parallel safe
    return timestamptz '1970-01-01 00:00:00+00' + ver * interval '1 microsecond';

-- A row that is here already is skipped, in the initial copy of a subscription too.
create function public.bahi_skip_known() returns trigger language plpgsql as $$
begin
    if exists (
        select from public.journal j
        where j.book_id = new.book_id and j.op_id = new.op_id and j.kind = new.kind and j.id = new.id
    ) then
        return null;
    end if;
    return new;
end $$;
create trigger journal_skip_known before insert on public.journal
    for each row execute function public.bahi_skip_known();
alter table public.journal enable always trigger journal_skip_known;
