-- What a region keeps for itself about what arrives from the others. Nothing of this is replicated.

-- Bills whose rows came from another region and whose bytes are to be copied. `region` took the row first, and
-- had the bytes before it did.
create table public.document_wanted (
    book_id uuid not null,
    sha256 char(64) not null,
    byte_size bigint not null,
    media_type varchar(64) not null,
    region varchar(32) not null,
    since timestamptz not null default now(),
    tries integer not null default 0,
    next_try timestamptz not null default now(),
    primary key (book_id, sha256)
);
create index document_wanted_next on public.document_wanted (next_try);

create function public.bahi_want_document() returns trigger language plpgsql as $$
declare
    d jsonb := new.doc::jsonb;
begin
    insert into public.document_wanted (book_id, sha256, byte_size, media_type, region)
    values (new.book_id, d ->> 'sha256', (d ->> 'byteSize')::bigint, d ->> 'mediaType', new.region)
    on conflict do nothing;
    return null;
end $$;
-- Only for what an apply worker brings, never for what was accepted here with its bytes.
create trigger journal_want_document after insert on public.journal
    for each row when (new.kind = 'document' and current_setting('session_replication_role') = 'replica')
    execute function public.bahi_want_document();
alter table public.journal enable always trigger journal_want_document;

-- What a device did lately, in whatever book: rows come nearly in the order of `at`, so a few pages tell. A
-- B-tree would cost every save as much as the others do.
create index journal_at on public.journal using brin (at) with (pages_per_range = 16, autosummarize = on);

-- Sessions ended lately, wherever: every server looks each few seconds.
create index revocation_at on public.revocation (at);

-- One generation, spent by two refreshIds: where the two uses meet, the session ends, in every region by itself.
-- Of two that come at the same moment neither may see the other; the next refresh looks again.
create function public.bahi_end_reused() returns trigger language plpgsql as $$
begin
    if exists (
        select from public.refresh_use u
        where u.book_id = new.book_id and u.fam = new.fam and u.gen = new.gen and u.rid_hash <> new.rid_hash
    ) then
        insert into public.revocation (book_id, fam, reason) values (new.book_id, new.fam, 'reused')
        on conflict do nothing;
    end if;
    return null;
end $$;
create trigger refresh_use_end_reused after insert on public.refresh_use
    for each row execute function public.bahi_end_reused();
alter table public.refresh_use enable always trigger refresh_use_end_reused;
