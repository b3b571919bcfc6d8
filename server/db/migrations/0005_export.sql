-- What the export computes in SQL, once and from stored columns.
-- Cells that begin so would be run as a formula by a spreadsheet (OWASP, CSV injection).
create function public.bahi_guarded(cell varchar) returns text
    language sql immutable parallel safe
    return case when left(cell, 1) in ('=', '+', '-', '@', e'\t', e'\r') then '''' else '' end
        || translate(cell, e'\r\n', '  ');

-- The path of a document inside the accountant's pack.
create function public.bahi_document_path(entry_date date, doc_code varchar, media_type varchar) returns text
    language sql immutable parallel safe
    return 'Documents/' || to_char(entry_date::timestamp, 'YYYY-MM') || '/' || doc_code || case media_type
        when 'image/jpeg' then '.jpg' when 'image/png' then '.png' when 'image/webp' then '.webp'
        when 'image/heic' then '.heic' when 'image/gif' then '.gif' when 'image/tiff' then '.tif'
        when 'application/pdf' then '.pdf' else '' end;
