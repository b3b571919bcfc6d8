-- name: find_claims -- no book: logging in is how a book is found
-- Nearly always one row. There are several if two regions accepted the same name at the same time.
select u.book_id, u.id, u.display_name, coalesce(p.password_hash, ''), coalesce(pj.doc, '{}'), coalesce(dj.doc, '{}'),
    u.disabled_at is not null
from public.username_claim c
join public.app_user u on u.book_id = c.book_id and u.id = c.id
left join public.credential p on p.book_id = c.book_id and p.id = c.id
left join public.journal pj
    on pj.book_id = p.book_id and pj.op_id = p.op_id and pj.kind = 'credential' and pj.id = p.id
left join public.device d on d.book_id = u.book_id and d.id = %(device_id)s
left join public.journal dj on dj.book_id = d.book_id and dj.op_id = d.op_id and dj.kind = 'device' and dj.id = d.id
where c.name_key = %(name_key)s
order by c.ver, c.op_id;

-- name: claimants
-- All users that claimed the name of this user, in the order of their claims.
select c.id
from public.username_claim mine
join public.username_claim c on c.name_key = mine.name_key
where mine.book_id = %(book_id)s and mine.id = %(user_id)s
order by c.ver, c.op_id;

-- name: lock_name -- no book: the book does not exist yet
select pg_advisory_xact_lock(hashtextextended('name ' || %(name_key)s, 0));

-- name: only_book -- no book: a local server has one book
select u.book_id, u.id, u.display_name, coalesce(p.password_hash, ''), coalesce(pj.doc, '{}'), coalesce(dj.doc, '{}')
from public.app_user u
left join public.credential p on p.book_id = u.book_id and p.id = u.id
left join public.journal pj
    on pj.book_id = p.book_id and pj.op_id = p.op_id and pj.kind = 'credential' and pj.id = p.id
left join public.device d on d.book_id = u.book_id and d.id = %(device_id)s
left join public.journal dj on dj.book_id = d.book_id and dj.op_id = d.op_id and dj.kind = 'device' and dj.id = d.id
where u.disabled_at is null
order by u.ver, u.op_id
limit 1;

-- name: find_by_id
select u.book_id, u.id, u.display_name, coalesce(p.password_hash, ''), coalesce(pj.doc, '{}'), '{}'
from public.app_user u
left join public.credential p on p.book_id = u.book_id and p.id = u.id
left join public.journal pj
    on pj.book_id = p.book_id and pj.op_id = p.op_id and pj.kind = 'credential' and pj.id = p.id
where u.book_id = %(book_id)s and u.id = %(user_id)s and u.disabled_at is null;

-- name: lock_devices
select pg_advisory_xact_lock(hashtextextended('devices ' || %(book_id)s::text, 0));

-- name: current_doc
-- The document of the winning version of a credential or device. Its table has only some of the keys, but names the
-- journal row.
select t.ver, j.doc
from (
    select book_id, id, ver, op_id from public.credential
    where %(kind)s = 'credential' and book_id = %(book_id)s and id = %(id)s
    union all
    select book_id, id, ver, op_id from public.device
    where %(kind)s = 'device' and book_id = %(book_id)s and id = %(id)s
) t
join public.journal j on j.book_id = t.book_id and j.op_id = t.op_id and j.kind = %(kind)s and j.id = t.id;

-- name: taken_prefixes
select code_prefix from public.device where book_id = %(book_id)s and left(code_prefix, 1) = %(letter)s;

-- name: last_code
-- Reads one row at the end of the index accounting_entry_code, however large the book is.
select coalesce((
    select split_part(e.human_code, '-', 2)::bigint
    from public.accounting_entry e
    where e.book_id = %(book_id)s and split_part(e.human_code, '-', 1) = %(prefix)s
    order by length(e.human_code) desc, e.human_code desc
    limit 1
), 0);

-- name: lock_password
select pg_advisory_xact_lock(hashtextextended('password ' || %(book_id)s::text || %(user_id)s::text, 0));

-- name: lock_invite -- no book: the book does not exist yet
select pg_advisory_xact_lock(hashtextextended('invite ' || %(jti)s::text, 0));

-- name: is_invite_spent -- no book: an invitation is valid once, for any book
select exists (select from public.invite_use where jti = %(jti)s);

-- name: spend_invite
insert into public.invite_use (book_id, jti) values (%(book_id)s, %(jti)s);

-- name: session_state
-- Why the session is over, '' if it goes on. A user whose record has not arrived in this region yet does not count
-- as disabled.
select coalesce(
        (select reason from public.revocation where book_id = %(book_id)s and fam = %(fam)s),
        (
            select 'disabled' from public.app_user
            where book_id = %(book_id)s and id = %(user_id)s and disabled_at is not null
        ),
        ''
    ),
    coalesce((
        select j.doc
        from public.credential p
        join public.journal j on j.book_id = p.book_id and j.op_id = p.op_id and j.kind = 'credential' and j.id = p.id
        where p.book_id = %(book_id)s and p.id = %(user_id)s
    ), '{}');

-- name: sessions
-- Sessions that began after `since` (µs) and were not ended. The last use is the use of the highest generation.
select s.id, coalesce(d.display_name, ''), s.doc, s.ver, last_use.at, last_use.server
from public.journal s
left join public.device d on d.book_id = s.book_id and d.id = s.device
left join lateral (
    select extract(epoch from u.at)::float8 as at, u.server
    from public.refresh_use u
    where u.book_id = s.book_id and u.fam = s.id
    order by u.gen desc
    limit 1
) last_use on true
where s.book_id = %(book_id)s and s.kind = 'session' and s.author = %(user_id)s and s.ver > %(since)s
    and not exists (select from public.revocation r where r.book_id = s.book_id and r.fam = s.id)
order by s.ver desc, s.id desc;

-- name: is_session
select exists (
    select from public.journal
    where book_id = %(book_id)s and kind = 'session' and id = %(fam)s and author = %(user_id)s
);

-- name: revoke_others
insert into public.revocation (book_id, fam, reason)
select s.book_id, s.id, %(reason)s
from public.journal s
where s.book_id = %(book_id)s and s.kind = 'session' and s.author = %(user_id)s and s.ver > %(since)s
    and s.id is distinct from %(kept)s::uuid
on conflict do nothing
returning fam;

-- name: users -- no book: the operator lists all users
select u.display_name, extract(epoch from u.created_at)::float8, greatest(
    (
        select max(s.ver) / 1e6 from public.journal s
        where s.book_id = u.book_id and s.kind = 'session' and s.author = u.id
    )::float8,
    (select extract(epoch from max(r.at)) from public.refresh_use r where r.book_id = u.book_id)::float8
), u.disabled_at is not null, u.id, (
    select coalesce(array_agg(c.id order by c.ver, c.op_id), '{}')
    from public.username_claim mine
    join public.username_claim c on c.name_key = mine.name_key
    where mine.book_id = u.book_id and mine.id = u.id
)
from public.app_user u
order by lower(u.display_name), u.id;

-- name: use_generation
insert into public.refresh_use (book_id, fam, gen, rid_hash, server, at)
values (%(book_id)s, %(fam)s, %(gen)s, %(rid_hash)s, %(server)s, to_timestamp(%(now)s))
on conflict do nothing;

-- name: is_reused
-- Looks at every generation: the second use of an earlier one may have arrived from another region meanwhile.
select exists (
    select from public.refresh_use
    where book_id = %(book_id)s and fam = %(fam)s
    group by gen having count(*) > 1
);

-- name: revoke
insert into public.revocation (book_id, fam, reason) values (%(book_id)s, %(fam)s, %(reason)s)
on conflict do nothing;

-- name: recently_ended -- no book: the server refuses tokens of ended sessions of all books
select fam from public.revocation where at > now() - %(seconds)s * interval '1 second';
