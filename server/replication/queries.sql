-- The statements of the operator's commands. None is restricted to a book, because a mesh replicates all books.

-- name: lock -- no book: keeps two commands from changing the mesh at the same time
select pg_try_advisory_lock(%(key)s)

-- name: unlock -- no book: keeps two commands from changing the mesh at the same time
select pg_advisory_unlock(%(key)s)

-- name: facts -- no book: the facts that the preflight checks
select
    current_setting('server_version_num')::int as version,
    (select jsonb_object_agg(s.name, s.setting) from pg_catalog.pg_settings s) as settings,
    extract(epoch from clock_timestamp())::float8 as clock,
    (select count(*)::int from pg_catalog.pg_replication_slots r
        where not r.temporary and not (r.database = current_database()
            and (starts_with(r.slot_name, 'bahi_') or r.slot_name ~ '^pg_[0-9]+_sync_'))) as foreign_slots,
    (select coalesce(array_agg(c.relname::text order by 1), '{}') from pg_catalog.pg_class c
        join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisprimary
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r') as keyed,
    (select coalesce(array_agg(g.tgname::text order by 1), '{}') from pg_catalog.pg_trigger g
        join pg_catalog.pg_class c on c.oid = g.tgrelid
        where c.relnamespace = 'public'::regnamespace and not g.tgisinternal and g.tgenabled not in ('A', 'R')) as sleeping,
    to_regclass('public.schema_migration') is not null as is_migrated,
    r.rolsuper as is_superuser,
    r.rolcreaterole as may_create_roles,
    r.rolreplication or exists (select from pg_catalog.pg_roles a
        where a.rolname = 'rds_superuser' and pg_has_role(a.oid, 'usage')) as may_replicate,
    pg_has_role('pg_create_subscription', 'usage') as may_subscribe,
    has_database_privilege(current_database(), 'create') as may_publish,
    coalesce((select bool_and(pg_has_role(c.relowner, 'usage')) from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'), true) as owns_tables,
    has_parameter_privilege('log_statement', 'set') and has_parameter_privilege('log_min_duration_statement', 'set')
        as may_quieten
from pg_catalog.pg_roles r where r.rolname = current_user

-- name: migrations -- no book: the migrations applied to the schema
select number, name, sha256::text from public.schema_migration order by number

-- name: merged_tables -- no book: lists tables
-- A table that is merged from the journal has these four columns.
select c.relname::text from pg_catalog.pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'journal' and 4 = (
    select count(*) from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attname in ('book_id', 'id', 'ver', 'op_id')
)
order by 1

-- name: published -- no book: lists the published tables
select t.tablename::text from pg_catalog.pg_publication_tables t where t.pubname = %(publication)s order by 1

-- name: publication -- no book: reads the options of the publication
select p.pubinsert and not p.pubupdate and not p.pubdelete and not p.pubtruncate and not p.puballtables as is_ours
from pg_catalog.pg_publication p where p.pubname = %(publication)s

-- name: role -- no book: a role of PostgreSQL
select 1 from pg_catalog.pg_roles r where r.rolname = %(role)s

-- name: owner -- no book: the role that creates the tables
select r.rolname::text from pg_catalog.pg_class c join pg_catalog.pg_roles r on r.oid = c.relowner
where c.oid = 'public.journal'::regclass

-- name: slot -- no book: a slot sends all books
select coalesce(r.wal_status, '') as wal_status, r.active, r.active_pid
from pg_catalog.pg_replication_slots r
where r.slot_name = %(slot)s and r.database = current_database()

-- name: make_slot -- no book: a slot sends all books
select pg_create_logical_replication_slot(%(slot)s, 'pgoutput')

-- name: drop_slot -- no book: a slot sends all books
select pg_drop_replication_slot(r.slot_name) from pg_catalog.pg_replication_slots r
where r.slot_name = %(slot)s and r.database = current_database()

-- name: end_sender -- no book: a slot sends all books
select pg_terminate_backend(r.active_pid) from pg_catalog.pg_replication_slots r
where r.slot_name = %(slot)s and r.database = current_database() and r.active_pid is not null

-- name: copy_slots -- no book: lists the slots of first copies that were not dropped
-- PostgreSQL names them pg_<subscription>_sync_<table>_<system identifier of the subscriber>.
select r.slot_name::text, (regexp_match(r.slot_name, '^pg_[0-9]+_sync_[0-9]+_([0-9]+)$'))[1]
from pg_catalog.pg_replication_slots r
where r.database = current_database() and not r.active and r.slot_name ~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$'

-- name: system -- no book: identifies the PostgreSQL cluster
select c.system_identifier::text from pg_catalog.pg_control_system() c

-- name: identity -- no book: identifies the database
select (select c.system_identifier from pg_catalog.pg_control_system() c) || '/' || current_database()

-- name: subscription -- no book: a subscription receives all books
select s.subenabled, array(
    select c.relname::text from pg_catalog.pg_subscription_rel t join pg_catalog.pg_class c on c.oid = t.srrelid
    where t.srsubid = s.oid order by 1
) as tables
from pg_catalog.pg_subscription s
where s.subname = %(subscription)s and s.subdbid = (
    select d.oid from pg_catalog.pg_database d where d.datname = current_database())

-- name: copying -- no book: a first copy copies all books
-- The tables whose first copy has not finished. Of srsubstate, 'f' and 's' mean that the rows are copied, and 'r'
-- that the table is replicated normally.
select c.relname::text as name, coalesce(p.tuples_processed + p.tuples_excluded, 0) as rows,
    coalesce(p.bytes_processed, 0) as bytes, coalesce(b.wait_event = 'LogicalSyncData', false) as waits_for_data,
    t.srsubstate in ('f', 's') as is_merged, coalesce(e.sync_error_count, 0) as errors,
    exists (select from pg_catalog.pg_stat_subscription a where a.subid = s.oid and a.pid is not null) as at_work
from pg_catalog.pg_subscription s
join pg_catalog.pg_subscription_rel t on t.srsubid = s.oid and t.srsubstate <> 'r'
join pg_catalog.pg_class c on c.oid = t.srrelid
left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.relid = t.srrelid
left join pg_catalog.pg_stat_progress_copy p on p.pid = w.pid
left join pg_catalog.pg_stat_activity b on b.pid = w.pid
left join pg_catalog.pg_stat_subscription_stats e on e.subid = s.oid
where s.subname = %(subscription)s
order by 1

-- name: hand_over -- no book: passes a secret that must not be in the text of a statement
select set_config('bahi.connection', %(connection)s, false)

-- name: connect -- no book: a subscription receives all books
-- A DO block, because the log of statements shows only the block, not the statement that it executes. An error inside
-- the statement would be logged with its text, so the handler raises it again outside.
do $$
begin
    execute format('alter subscription %I connection %L', {subscription}, current_setting('bahi.connection'));
exception when others then
    raise exception using errcode = sqlstate, message = sqlerrm;
end $$

-- name: received -- no book: a subscription receives all books
select s.subname::text as subscription, s.subenabled as enabled, w.pid is not null as running,
    array(select c.relname::text from pg_catalog.pg_subscription_rel t
        join pg_catalog.pg_class c on c.oid = t.srrelid
        where t.srsubid = s.oid and t.srsubstate <> 'r' order by 1) as copying,
    e.apply_error_count as apply_errors, e.sync_error_count as copy_errors,
    (to_jsonb(e) ->> 'confl_insert_exists')::bigint as conflicts -- not before PostgreSQL 18
from pg_catalog.pg_subscription s
left join pg_catalog.pg_stat_subscription w on w.subid = s.oid and w.worker_type = 'apply'
left join pg_catalog.pg_stat_subscription_stats e on e.subid = s.oid
where starts_with(s.subname, 'bahi_from_')
    and s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())

-- name: tables -- no book: looks for tables that an older schema does not have
select to_regclass('public.journal') is not null, to_regclass('public.document_wanted') is not null

-- name: about -- no book: estimates the rows of all books
-- Both statistics are too low for a table to which rows are only added, and a crash resets the second.
select greatest(0, c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint
from pg_catalog.pg_class c where c.oid = format('public.%%I', %(table)s::text)::regclass

-- name: count_journal -- no book: counts the rows of all books
select count(*) from public.journal

-- name: wanted -- no book: counts the bills of all books that are to be copied
select count(*), coalesce(sum(w.byte_size), 0)::bigint,
    case when count(*) > 0 then greatest(0, extract(epoch from clock_timestamp() - min(w.since)))::float8 end
from public.document_wanted w

-- name: sent -- no book: a slot sends all books
-- The lag of an active slot is what its subscriber reports; of an inactive one, the time since it was last active.
select r.slot_name::text as slot, r.active, coalesce(r.wal_status, '') as wal_status, r.safe_wal_size,
    r.invalidation_reason,
    greatest(0, pg_current_wal_lsn() - r.confirmed_flush_lsn)::bigint as lag_bytes,
    greatest(0, extract(epoch from case
        when pg_current_wal_lsn() <= r.confirmed_flush_lsn then interval '0'
        when r.active then coalesce(w.replay_lag, interval '0')
        else clock_timestamp() - r.inactive_since end))::float8 as lag_seconds
from pg_catalog.pg_replication_slots r
left join pg_catalog.pg_stat_replication w on w.pid = r.active_pid
where r.database = current_database() and starts_with(r.slot_name, 'bahi_') and r.slot_type = 'logical'

-- name: write_marker -- no book: writes a marker into the log
select pg_logical_emit_message(true, 'bahi', 'fence')::text

-- name: has_passed -- no book: a slot sends all books
select coalesce(bool_and(r.confirmed_flush_lsn >= %(lsn)s::pg_lsn), false)
from pg_catalog.pg_replication_slots r
where r.slot_name = %(slot)s and r.database = current_database()

-- name: digest -- no book: compares all books
-- Adding up the hashes of rows makes the digest independent of their order.
select t.book_id::text, {bucket}, count(*), sum(hashtextextended(row({whole})::text, 0))::text
from {table} t
group by 1, 2

-- name: digest_slices -- no book: compares all books
select t.book_id::text, {bucket}, (hashtextextended(row({key})::text, 0) & 4095)::int, count(*),
    sum(hashtextextended(row({whole})::text, 0))::text
from {table} t
where t.book_id::text || '/' || {bucket} = any(%(parts)s::text[])
group by 1, 2, 3

-- name: slice_rows -- no book: compares all books
select t.book_id::text, {bucket}, (hashtextextended(row({key})::text, 0) & 4095)::int, row({key})::text,
    hashtextextended(row({whole})::text, 0)
from {table} t
where t.book_id::text || '/' || {bucket} || '/' || (hashtextextended(row({key})::text, 0) & 4095)
    = any(%(slices)s::text[])

-- name: columns -- no book: lists the columns of a table
select a.attname::text from pg_catalog.pg_attribute a
where a.attrelid = format('public.%%I', %(table)s::text)::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum

-- name: send -- no book: copies rows of all books
copy (
    select {columns} from {table} t
    where t.book_id::text || '/' || {bucket} || '/' || (hashtextextended(row({key})::text, 0) & 4095)
        = any({slices}::text[])
) to stdout

-- name: receive -- no book: copies rows of all books
copy pg_temp.bahi_arrived ({columns}) from stdin

-- name: arrived -- no book: copies rows of all books
select coalesce(max(a.arrival), 0) from pg_temp.bahi_arrived a

-- name: insert -- no book: copies rows of all books
with added as (
    insert into {table} ({columns})
    select {columns} from pg_temp.bahi_arrived a where a.arrival > %(after)s and a.arrival <= %(upto)s
    order by a.arrival
    on conflict do nothing
    returning 1
)
select count(*)::int from added

-- name: enqueue_documents -- no book: copies rows of all books
-- The trigger of the journal does this only for rows that an apply worker inserts.
insert into public.document_wanted (book_id, sha256, byte_size, media_type, region)
select a.book_id, a.doc::jsonb ->> 'sha256', (a.doc::jsonb ->> 'byteSize')::bigint, a.doc::jsonb ->> 'mediaType',
    a.region
from pg_temp.bahi_arrived a
where a.kind = 'document' and not exists (
    select from public.journal j
    where j.book_id = a.book_id and j.op_id = a.op_id and j.kind = a.kind and j.id = a.id
)
on conflict do nothing

-- name: merge_again -- no book: repairs all books
-- Merges only the highest version of each record, because lower ones would have no effect.
select count({merge}(s.highest)) from (
    select distinct on (t.book_id, t.id) t as highest from public.journal t
    where t.kind = %(kind)s
        and t.book_id::text || '/' || {bucket} || '/' || (hashtextextended(row({key})::text, 0) & 4095)
            = any(%(slices)s::text[])
    order by t.book_id, t.id, t.ver desc, t.op_id desc
) s

-- name: origin -- no book: a replication origin
select 1 from pg_catalog.pg_replication_origin o where o.roname = %(origin)s

-- name: make_origin -- no book: a replication origin
select pg_replication_origin_create(%(origin)s)

-- name: write_as_origin -- no book: a replication origin
select pg_replication_origin_session_setup(%(origin)s)

-- name: reset_origin -- no book: a replication origin
select pg_replication_origin_session_reset()
