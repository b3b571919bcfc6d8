-- Sessions need no table: a session is a journal record of kind 'session' (id: its family; device; author; ver:
-- when it began), its last use stands in refresh_use, its end in revocation. What a version of a credential or
-- a device holds beyond its table's columns is read from the journal row that the table names (book_id, op_id).

-- An invitation is spent by the account that it made. Insert-only, replicated as it is. The key begins with the
-- book, so that two regions that take one invitation at the same moment do not stop each other's apply worker.
create table public.invite_use (
    book_id uuid not null,
    jti uuid not null,
    at timestamptz not null default now(),
    primary key (book_id, jti)
);
create index invite_use_jti on public.invite_use (jti);

-- The insert-only tables skip what is here already, as the journal does: the same refresh at two servers, or
-- one session ended in two regions, is the same row twice.
create or replace function public.bahi_skip_known_refresh_use() returns trigger language plpgsql as $$
begin
    if exists (
        select from public.refresh_use t
        where t.book_id = new.book_id and t.fam = new.fam and t.gen = new.gen and t.rid_hash = new.rid_hash
    ) then
        return null;
    end if;
    return new;
end $$;
create or replace trigger refresh_use_skip_known before insert on public.refresh_use
    for each row execute function public.bahi_skip_known_refresh_use();
alter table public.refresh_use enable always trigger refresh_use_skip_known;

create or replace function public.bahi_skip_known_revocation() returns trigger language plpgsql as $$
begin
    if exists (select from public.revocation t where t.book_id = new.book_id and t.fam = new.fam) then
        return null;
    end if;
    return new;
end $$;
create or replace trigger revocation_skip_known before insert on public.revocation
    for each row execute function public.bahi_skip_known_revocation();
alter table public.revocation enable always trigger revocation_skip_known;

create or replace function public.bahi_skip_known_invite_use() returns trigger language plpgsql as $$
begin
    if exists (select from public.invite_use t where t.book_id = new.book_id and t.jti = new.jti) then
        return null;
    end if;
    return new;
end $$;
create or replace trigger invite_use_skip_known before insert on public.invite_use
    for each row execute function public.bahi_skip_known_invite_use();
alter table public.invite_use enable always trigger invite_use_skip_known;
