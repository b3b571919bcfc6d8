-- name: document
select d.sha256, d.byte_size, d.media_type, d.file_name
from public.accounting_document d
where d.book_id = %(book_id)s and d.id = %(id)s and d.voided_at is null;
