-- name: find_by_name -- no book: signing in is how a book is found
select c.book_id, c.id, u.display_name, coalesce(p.password_hash, '')
from public.username_claim c
join public.app_user u on u.book_id = c.book_id and u.id = c.id
left join public.credential p on p.book_id = c.book_id and p.id = c.id
where c.name_key = %(name_key)s and u.disabled_at is null
order by c.ver, c.op_id
limit 1;

-- name: lock_name -- no book: the claim of a name is what makes the book
select pg_advisory_xact_lock(hashtextextended('name ' || %(name_key)s, 0));

-- name: only_book -- no book: a computer's own server holds one book, whoever's
select u.book_id, u.id, u.display_name, coalesce(p.password_hash, '')
from public.app_user u
left join public.credential p on p.book_id = u.book_id and p.id = u.id
where u.disabled_at is null
order by u.ver, u.op_id
limit 1;

-- name: lock_devices
select pg_advisory_xact_lock(hashtextextended('devices ' || %(book_id)s::text, 0));

-- name: find_device
select code_prefix from public.device where book_id = %(book_id)s and id = %(device_id)s;

-- name: taken_prefixes
select code_prefix from public.device where book_id = %(book_id)s and left(code_prefix, 1) = %(letter)s;

-- name: last_code
-- The newest entries come first; codes rise with them, and a few more are read in case a clock stepped back.
select coalesce(max(split_part(human_code, '-', 2)::bigint), 0)
from (
    select human_code from public.accounting_entry
    where book_id = %(book_id)s and human_code like %(prefix)s || '-%%'
    order by id desc limit 200
) newest;

-- name: is_revoked
select exists (select from public.revocation where book_id = %(book_id)s and fam = %(fam)s)
    or not exists (
        select from public.app_user where book_id = %(book_id)s and id = %(user_id)s and disabled_at is null
    );

-- name: use_generation
with ours as (
    insert into public.refresh_use (book_id, fam, gen, rid_hash, server)
    values (%(book_id)s, %(fam)s, %(gen)s, %(rid_hash)s, %(server)s)
    on conflict do nothing
)
select exists (
    select from public.refresh_use
    where book_id = %(book_id)s and fam = %(fam)s and gen = %(gen)s and rid_hash <> %(rid_hash)s
);

-- name: revoke
insert into public.revocation (book_id, fam, reason) values (%(book_id)s, %(fam)s, %(reason)s)
on conflict do nothing;
