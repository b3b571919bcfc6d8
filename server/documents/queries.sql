-- name: document
-- Of a bill that was taken away too: the history still names it, and a book that moves takes it along.
select d.sha256, d.byte_size, d.media_type, d.file_name
from public.accounting_document d
where d.book_id = %(book_id)s and d.id = %(id)s;
