-- Who may open which book. Also merged from the journal, so that a change of password reaches every region.
create table public.app_user (
    book_id uuid not null,
    id uuid not null,
    display_name varchar(64) not null,
    created_at timestamptz not null,
    disabled_at timestamptz,
    ver bigint not null,
    op_id uuid not null,
    primary key (book_id, id)
);

create table public.credential (
    book_id uuid not null,
    id uuid not null, -- the user's
    password_hash varchar(255) not null, -- Argon2id in PHC form; '' where there is no password
    ver bigint not null,
    op_id uuid not null,
    primary key (book_id, id)
);

-- A name belongs to the lowest (ver, op_id) that claimed it: two regions may accept one name at once.
create table public.username_claim (
    book_id uuid not null,
    id uuid not null, -- the user's
    name_key varchar(64) not null,
    ver bigint not null,
    op_id uuid not null,
    primary key (book_id, id)
);
create index username_claim_name on public.username_claim (name_key, ver, op_id);

-- An installation and the prefix that its human codes begin with.
create table public.device (
    book_id uuid not null,
    id uuid not null,
    code_prefix varchar(3) not null,
    display_name varchar(100) not null,
    created_at timestamptz not null,
    ver bigint not null,
    op_id uuid not null,
    primary key (book_id, id)
);

-- Insert-only, replicated as they are.
create table public.refresh_use (
    book_id uuid not null,
    fam uuid not null,
    gen bigint not null,
    rid_hash char(64) not null,
    server varchar(64) not null,
    at timestamptz not null default now(),
    primary key (book_id, fam, gen, rid_hash)
);
create table public.revocation (
    book_id uuid not null,
    fam uuid not null,
    at timestamptz not null default now(),
    reason varchar(32) not null,
    primary key (book_id, fam)
);

-- They arrive twice too: in the initial copy of a subscription, and when two regions end one session at once.
-- Without these triggers the first such row would stop the subscription for good.
create function public.bahi_skip_known_refresh_use() returns trigger language plpgsql as $$
begin
    if exists (
        select from public.refresh_use u
        where u.book_id = new.book_id and u.fam = new.fam and u.gen = new.gen and u.rid_hash = new.rid_hash
    ) then
        return null;
    end if;
    return new;
end $$;
create trigger refresh_use_skip_known before insert on public.refresh_use
    for each row execute function public.bahi_skip_known_refresh_use();
alter table public.refresh_use enable always trigger refresh_use_skip_known;

create function public.bahi_skip_known_revocation() returns trigger language plpgsql as $$
begin
    if exists (select from public.revocation v where v.book_id = new.book_id and v.fam = new.fam) then
        return null;
    end if;
    return new;
end $$;
create trigger revocation_skip_known before insert on public.revocation
    for each row execute function public.bahi_skip_known_revocation();
alter table public.revocation enable always trigger revocation_skip_known;

create function public.bahi_merge_user(r public.journal) returns void language plpgsql as $$
declare
    d jsonb := r.doc::jsonb;
begin
    insert into public.app_user as t (book_id, id, display_name, created_at, disabled_at, ver, op_id)
    values (
        r.book_id, r.id, d ->> 'displayName', public.bahi_instant((d ->> 'createdVer')::bigint),
        public.bahi_instant((d ->> 'disabledVer')::bigint), r.ver, r.op_id
    )
    on conflict (book_id, id) do update set
        display_name = excluded.display_name, created_at = excluded.created_at,
        disabled_at = excluded.disabled_at, ver = excluded.ver, op_id = excluded.op_id
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;

create function public.bahi_merge_credential(r public.journal) returns void language plpgsql as $$
begin
    insert into public.credential as t (book_id, id, password_hash, ver, op_id)
    values (r.book_id, r.id, r.doc::jsonb ->> 'passwordHash', r.ver, r.op_id)
    on conflict (book_id, id) do update set
        password_hash = excluded.password_hash, ver = excluded.ver, op_id = excluded.op_id
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;

create function public.bahi_merge_username(r public.journal) returns void language plpgsql as $$
begin
    insert into public.username_claim as t (book_id, id, name_key, ver, op_id)
    values (r.book_id, r.id, r.doc::jsonb ->> 'nameKey', r.ver, r.op_id)
    on conflict (book_id, id) do update set
        name_key = excluded.name_key, ver = excluded.ver, op_id = excluded.op_id
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;

create function public.bahi_merge_device(r public.journal) returns void language plpgsql as $$
declare
    d jsonb := r.doc::jsonb;
begin
    insert into public.device as t (book_id, id, code_prefix, display_name, created_at, ver, op_id)
    values (
        r.book_id, r.id, d ->> 'codePrefix', d ->> 'displayName',
        public.bahi_instant((d ->> 'createdVer')::bigint), r.ver, r.op_id
    )
    on conflict (book_id, id) do update set
        code_prefix = excluded.code_prefix, display_name = excluded.display_name,
        created_at = excluded.created_at, ver = excluded.ver, op_id = excluded.op_id
    where (excluded.ver, excluded.op_id) > (t.ver, t.op_id);
end $$;

-- One merge for a local change and for one that arrived from another region. A kind that this version does
-- not know stays in the journal and is merged when a later migration brings its table.
create function public.bahi_merge() returns trigger language plpgsql as $$
begin
    case new.kind
        when 'entry' then perform public.bahi_merge_entry(new);
        when 'document' then perform public.bahi_merge_document(new);
        when 'user' then perform public.bahi_merge_user(new);
        when 'credential' then perform public.bahi_merge_credential(new);
        when 'username' then perform public.bahi_merge_username(new);
        when 'device' then perform public.bahi_merge_device(new);
        else null;
    end case;
    return null;
end $$;
create trigger journal_merge after insert on public.journal
    for each row execute function public.bahi_merge();
alter table public.journal enable always trigger journal_merge;

-- What arrived before there was a table or a trigger for it. The trigger's lock is held, so nothing comes between.
do $$
begin
    perform public.bahi_merge_entry(j) from public.journal j where j.kind = 'entry';
    perform public.bahi_merge_document(j) from public.journal j where j.kind = 'document';
    perform public.bahi_merge_user(j) from public.journal j where j.kind = 'user';
    perform public.bahi_merge_credential(j) from public.journal j where j.kind = 'credential';
    perform public.bahi_merge_username(j) from public.journal j where j.kind = 'username';
    perform public.bahi_merge_device(j) from public.journal j where j.kind = 'device';
end $$;
