-- name: document
-- Also returns bills that were removed from their entry: the history shows them, and copying a book to another
-- server includes them.
select d.sha256, d.byte_size, d.media_type, d.file_name
from public.accounting_document d
where d.book_id = %(book_id)s and d.id = %(id)s;

-- name: enqueue
insert into public.document_wanted (book_id, sha256, byte_size, media_type, region)
values (%(book_id)s, %(sha256)s, %(byte_size)s, %(media_type)s, %(region)s)
on conflict do nothing;

-- name: claim -- no book: documents of every book are fetched
-- A claim is a lease of two minutes: if the server dies, another server of the region claims the document then.
update public.document_wanted w
set tries = w.tries + 1, next_try = now() + interval '2 minutes'
where (w.book_id, w.sha256) in (
    select t.book_id, t.sha256 from public.document_wanted t
    where t.next_try <= now()
    order by t.next_try limit %(limit)s
    for update skip locked
)
returning w.book_id, w.sha256, w.byte_size, w.media_type, w.region, w.tries;

-- name: remove
delete from public.document_wanted where book_id = %(book_id)s and sha256 = %(sha256)s;

-- name: postpone
update public.document_wanted set next_try = now() + %(seconds)s * interval '1 second'
where book_id = %(book_id)s and sha256 = %(sha256)s;

-- name: known_documents -- no book: the sweep goes through all books
-- Keyset pagination over the primary key.
select d.book_id, d.id, d.sha256, d.byte_size, d.media_type, coalesce(j.region, '')
from public.accounting_document d
left join public.journal j
    on j.book_id = d.book_id and j.op_id = d.op_id and j.kind = 'document' and j.id = d.id
where (d.book_id, d.id) > (%(book)s, %(id)s)
order by d.book_id, d.id
limit %(limit)s;
