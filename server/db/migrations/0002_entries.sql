-- The account book itself. Merged from the journal: the highest (ver, op_id) of a record stands.
-- No unique index but the primary keys: a second one would stop an apply worker for good.
create table public.accounting_entry (
    book_id uuid not null,
    id uuid not null,
    entry_date date not null,
    amount numeric(18, 2) not null check (amount > 0),
    cr_dr char(2) not null check (cr_dr in ('CR', 'DR')),
    currency char(3) not null,
    category varchar(100) not null,
    description varchar(500) not null,
    human_code varchar(16) not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    voided_at timestamptz,
    ver bigint not null,
    op_id uuid not null,
    author uuid not null,
    primary key (book_id, id)
);

create table public.accounting_document (
    book_id uuid not null,
    id uuid not null,
    accounting_entry_id uuid not null,
    file_path varchar(200) not null,
    doc_code varchar(24) not null,
    file_name varchar(200) not null,
    media_type varchar(64) not null,
    byte_size bigint not null check (byte_size > 0),
    sha256 char(64) not null,
    created_at timestamptz not null,
    voided_at timestamptz,
    ver bigint not null,
    op_id uuid not null,
    primary key (book_id, id)
);
create index accounting_document_of_entry on public.accounting_document (book_id, accounting_entry_id);

-- The listing walks this index; it covers the totals of part of a month too.
create index accounting_entry_list on public.accounting_entry (book_id, entry_date desc, id desc)
    include (amount, cr_dr, category) where voided_at is null;

-- The few voided ones; a listing of both kinds merges the two indexes.
create index accounting_entry_voided on public.accounting_entry (book_id, entry_date desc, id desc)
    where voided_at is not null;

-- The highest code of a device, for a computer that lost its counter: longer numbers are higher.
create index accounting_entry_code on public.accounting_entry
    (book_id, split_part(human_code, '-', 1), length(human_code), human_code);

-- One text for one search: every word must occur somewhere in it. The pending list is kept short: every search
-- reads it whole, and the one save that finds it full pays for all of it (4 MB: a fifth of a second).
create function public.bahi_search_text(description varchar, category varchar, human_code varchar, amount numeric)
    returns text language sql immutable parallel safe
    return lower((description || ' ' || category || ' ' || human_code || ' ' || amount::text) collate "pg_c_utf8");
create index accounting_entry_search on public.accounting_entry using gin (
    book_id, public.bahi_search_text(description, category, human_code, amount) public.gin_trgm_ops
) with (gin_pending_list_limit = 512) where voided_at is null;

create function public.bahi_merge_entry(r public.journal) returns void language plpgsql as $$
declare
    d jsonb := r.doc::jsonb;
begin
    insert into public.accounting_entry as t (
        book_id, id, entry_date, amount, cr_dr, currency, category, description, human_code,
        created_at, updated_at, voided_at, ver, op_id, author
    ) values (
        r.book_id, r.id, (d ->> 'entryDate')::date, (d ->> 'amount')::numeric, d ->> 'crDr', d ->> 'currency',
        d ->> 'category', d ->> 'description', d ->> 'humanCode',
        public.bahi_instant((d ->> 'createdVer')::bigint), public.bahi_instant(r.ver),
        public.bahi_instant((d ->> 'voidedVer')::bigint), r.ver, r.op_id, r.author
    )
    on conflict (book_id, id) do update set
        entry_date = excluded.entry_date, amount = excluded.amount, cr_dr = excluded.cr_dr,
        currency = excluded.currency, category = excluded.category, description = excluded.description,
        human_code = excluded.human_code, created_at = excluded.created_at, updated_at = excluded.updated_at,
        voided_at = excluded.voided_at, ver = excluded.ver, op_id = excluded.op_id, author = excluded.author
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;

create function public.bahi_merge_document(r public.journal) returns void language plpgsql as $$
declare
    d jsonb := r.doc::jsonb;
begin
    insert into public.accounting_document as t (
        book_id, id, accounting_entry_id, file_path, doc_code, file_name, media_type, byte_size, sha256,
        created_at, voided_at, ver, op_id
    ) values (
        r.book_id, r.id, (d ->> 'entryId')::uuid, 'documents/' || r.book_id || '/' || (d ->> 'sha256'),
        d ->> 'docCode', d ->> 'fileName', d ->> 'mediaType', (d ->> 'byteSize')::bigint, d ->> 'sha256',
        public.bahi_instant((d ->> 'createdVer')::bigint), public.bahi_instant((d ->> 'voidedVer')::bigint),
        r.ver, r.op_id
    )
    on conflict (book_id, id) do update set
        accounting_entry_id = excluded.accounting_entry_id, file_path = excluded.file_path,
        doc_code = excluded.doc_code, file_name = excluded.file_name, media_type = excluded.media_type,
        byte_size = excluded.byte_size, sha256 = excluded.sha256, created_at = excluded.created_at,
        voided_at = excluded.voided_at, ver = excluded.ver, op_id = excluded.op_id
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;
