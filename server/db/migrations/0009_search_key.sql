-- oldest program: 0007
-- One search key, the same as in server/contract/search_key.py: texts with one key are one for search, suggestions
-- and categories. PostgreSQL 17 has no casefold(), so the key is made from what 17 and 18 have in common.
-- Older programs go on: they search by bahi_search_text(), which takes seconds in a large book when its index is
-- gone, and they find suggestions by the new keys.

-- Whether only A to Z and white space can make a difference between a text and its key: ASCII and the signs of
-- Indian scripts, except digits and what normalisation changes. It also puts a virama before a nukta in order.
create function public.bahi_is_plain(t text) returns boolean language sql immutable parallel safe
    return t collate "C" !~ (
        '[^ -~\u0900-\u0928\u092A-\u0930\u0932\u0933\u0935-\u0950\u0955-\u0957\u0960-\u0965\u0970-\u0983'
        '\u0985-\u098C\u098F\u0990\u0993-\u09A8\u09AA-\u09B0\u09B2\u09B6-\u09B9\u09BC-\u09C4\u09C7\u09C8'
        '\u09CD\u09CE\u09D7\u09E0-\u09E3\u09F0-\u09FD\u0A01-\u0A03\u0A05-\u0A0A\u0A0F\u0A10\u0A13-\u0A28'
        '\u0A2A-\u0A30\u0A32\u0A35\u0A38\u0A39\u0A3C\u0A3E-\u0A42\u0A47\u0A48\u0A4B-\u0A4D\u0A51\u0A5C'
        '\u0A70-\u0A76\u0A81-\u0A83\u0A85-\u0A8D\u0A8F-\u0A91\u0A93-\u0AA8\u0AAA-\u0AB0\u0AB2\u0AB3'
        '\u0AB5-\u0AB9\u0ABC-\u0AC5\u0AC7-\u0AC9\u0ACB-\u0ACD\u0AD0\u0AE0-\u0AE3\u0AF0\u0AF1\u0AF9-\u0AFF'
        '\u0B01-\u0B03\u0B05-\u0B0C\u0B0F\u0B10\u0B13-\u0B28\u0B2A-\u0B30\u0B32\u0B33\u0B35-\u0B39\u0B3C-\u0B44'
        '\u0B47\u0B4D\u0B55-\u0B57\u0B5F-\u0B63\u0B70-\u0B77\u0B82\u0B83\u0B85-\u0B8A\u0B8E-\u0B90\u0B92\u0B93'
        '\u0B95\u0B99\u0B9A\u0B9C\u0B9E\u0B9F\u0BA3\u0BA4\u0BA8-\u0BAA\u0BAE-\u0BB9\u0BBE-\u0BC2\u0BC6-\u0BC8'
        '\u0BCD\u0BD0\u0BD7\u0BF0-\u0BFA\u0C00-\u0C0C\u0C0E-\u0C10\u0C12-\u0C28\u0C2A-\u0C39\u0C3C-\u0C44'
        '\u0C46\u0C47\u0C4A-\u0C4D\u0C58-\u0C5A\u0C5D\u0C60-\u0C63\u0C77-\u0C8C\u0C8E-\u0C90\u0C92-\u0CA8'
        '\u0CAA-\u0CB3\u0CB5-\u0CB9\u0CBC-\u0CBF\u0CC1-\u0CC4\u0CC6\u0CCC\u0CCD\u0CD5\u0CD6\u0CDD\u0CDE'
        '\u0CE0-\u0CE3\u0CF1\u0CF2\u0D00-\u0D0C\u0D0E-\u0D10\u0D12-\u0D44\u0D46-\u0D48\u0D4D-\u0D4F'
        '\u0D54-\u0D63\u0D70-\u0D7F\u0D81-\u0D83\u0D85-\u0D96\u0D9A-\u0DB1\u0DB3-\u0DBB\u0DBD\u0DC0-\u0DC6'
        '\u0DCA\u0DCF-\u0DD4\u0DD6\u0DD8\u0DD9\u0DDB\u0DDF\u0DF2-\u0DF4\u2013\u2014\u2018\u2019\u201C\u201D'
        '\u2022\u20B9]|[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA'
        '][\u093C\u09BC\u0A3C\u0ABC\u0B3C\u0C3C\u0CBC]');

create function public.bahi_ascii_digits(t text, digits text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    found text;
    zero integer;
begin
    loop
        found := substring(t collate "C" from digits);
        exit when found is null;
        foreach zero in array array[
            0x966, 0x660, 0x6F0, 0x7C0, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
            0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
            0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0, 0x10D30, 0x10D40,
            0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA,
            0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11DE0, 0x11F50, 0x16A60, 0x16AC0,
            0x16B50, 0x1CCF0, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950
        ] loop
            exit when ascii(found) between zero and zero + 9;
        end loop;
        for value in 0..9 loop
            t := replace(t, chr(zero + value), value::text);
        end loop;
    end loop;
    return t;
end $$;

-- The cost is that of most texts, which are plain.
create function public.bahi_search_key(t text) returns text
    language plpgsql immutable strict parallel safe cost 1 as $$
begin
    if public.bahi_is_plain(t) and t collate "C" !~ '  |^ | $' then
        return lower(t collate "C");
    end if;
    declare
        dropped constant text :=
            '[\u0001-\u0008\u000E-\u001B\u007F-\u0084\u0086-\u009F\u00AD\u0300-\u036F\u0483-\u0489\u061C'
            '\u115F\u1160\u17B4\u17B5\u180B-\u180F\u1AB0-\u1AFF\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E'
            '\u2060-\u206F\u20D0-\u20FF\u3164\uFE00-\uFE0F\uFE20-\uFE2F\uFEFF\uFFA0\uFFF0-\uFFFB'
            '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]+';
        digits constant text :=
            '[\u0660-\u0669\u06F0-\u06F9\u07C0-\u07C9\u0966-\u096F\u09E6-\u09EF\u0A66-\u0A6F\u0AE6-\u0AEF'
            '\u0B66-\u0B6F\u0BE6-\u0BEF\u0C66-\u0C6F\u0CE6-\u0CEF\u0D66-\u0D6F\u0DE6-\u0DEF\u0E50-\u0E59'
            '\u0ED0-\u0ED9\u0F20-\u0F29\u1040-\u1049\u1090-\u1099\u17E0-\u17E9\u1810-\u1819\u1946-\u194F'
            '\u19D0-\u19D9\u1A80-\u1A89\u1A90-\u1A99\u1B50-\u1B59\u1BB0-\u1BB9\u1C40-\u1C49\u1C50-\u1C59'
            '\uA620-\uA629\uA8D0-\uA8D9\uA900-\uA909\uA9D0-\uA9D9\uA9F0-\uA9F9\uAA50-\uAA59\uABF0-\uABF9'
            '\U000104A0-\U000104A9\U00010D30-\U00010D39\U00010D40-\U00010D49\U00011066-\U0001106F'
            '\U000110F0-\U000110F9\U00011136-\U0001113F\U000111D0-\U000111D9\U000112F0-\U000112F9'
            '\U00011450-\U00011459\U000114D0-\U000114D9\U00011650-\U00011659\U000116C0-\U000116C9'
            '\U000116D0-\U000116D9\U000116DA-\U000116E3\U00011730-\U00011739\U000118E0-\U000118E9'
            '\U00011950-\U00011959\U00011BF0-\U00011BF9\U00011C50-\U00011C59\U00011D50-\U00011D59'
            '\U00011DA0-\U00011DA9\U00011DE0-\U00011DE9\U00011F50-\U00011F59\U00016A60-\U00016A69'
            '\U00016AC0-\U00016AC9\U00016B50-\U00016B59\U0001CCF0-\U0001CCF9\U0001E140-\U0001E149'
            '\U0001E2F0-\U0001E2F9\U0001E4F0-\U0001E4F9\U0001E5F1-\U0001E5FA\U0001E950-\U0001E959]';
    begin
        t := normalize(regexp_replace(t collate "C", dropped, '', 'g'), NFKD);
        t := lower(regexp_replace(t collate "C", dropped, '', 'g') collate "pg_c_utf8");
        if t collate "C" ~ '[\u00DF\u03C2\u1C80-\u1C88]' then
            t := replace(translate(t, 'ςᲀᲁᲂᲃᲄᲅᲆᲇᲈ', 'σвдосттъѣꙋ'), 'ß', 'ss');
        end if;
        if t collate "C" ~ digits then
            t := public.bahi_ascii_digits(t, digits);
        end if;
        return btrim(regexp_replace(t collate "C", '[\t-\r\u001C-\u0020\u0085\u1680\u2028\u2029]+', ' ', 'g'));
    end;
end $$;

-- What the words of a search are looked for in. Runs of white space stay in plain texts: no word contains any.
create function public.bahi_entry_key(description varchar, category varchar, human_code varchar, amount numeric)
    returns text language sql immutable parallel safe
    return case
        when octet_length(description) = char_length(description) and octet_length(category) = char_length(category)
            or public.bahi_is_plain(description || category)
        then lower((description || ' ' || category || ' ' || human_code || ' ' || amount::text) collate "C")
        else public.bahi_search_key(description || ' ' || category || ' ' || human_code || ' ' || amount::text)
    end;

-- The same for words that can be in neither a code nor an amount, which is quicker. There is no index on it.
create function public.bahi_texts_key(description varchar, category varchar)
    returns text language sql immutable parallel safe
    return case
        when octet_length(description) = char_length(description) and octet_length(category) = char_length(category)
            or public.bahi_is_plain(description || category)
        then lower((description || ' ' || category) collate "C")
        else public.bahi_search_key(description || ' ' || category)
    end;

-- Texts with long runs of digits (invoice numbers) hardly ever come again, and long texts neither. And an entry of
-- the primary key of suggestions, which contains the text and its key, may have at most 2,704 bytes.
create or replace function public.bahi_is_suggestible(text varchar) returns boolean
    language sql immutable parallel safe
    return char_length(text) <= 200 and public.bahi_search_key(text) !~ '[0-9]{5}|^$';

-- The database makes the key, so that older programs write the same.
comment on column public.suggestion.text_key is 'the first 300 characters of bahi_search_key(text)';
create function public.bahi_set_text_key() returns trigger language plpgsql as $$
begin
    new.text_key := left(public.bahi_search_key(new.text), 300);
    return new;
end $$;
create trigger suggestion_text_key before insert on public.suggestion
    for each row execute function public.bahi_set_text_key();
alter table public.suggestion enable always trigger suggestion_text_key;

-- The sum of a million of the highest amounts has more digits than numeric(24, 2) holds. Nothing is rewritten.
alter table public.entry_month alter column amount type numeric;

-- Gives the keys to the suggestions that were there before, and removes those that are not offered any more. Walks
-- along the primary key in batches of a transaction each. Only roll-ups write suggestions: they pass over a book
-- that somebody works on, and go on with it afterwards; nobody who saves an entry waits.
create procedure public.bahi_key_suggestions_again() language plpgsql as $$
declare
    last public.suggestion;
    after public.suggestion := row('00000000-0000-0000-0000-000000000000', '', '', '', '', '', 0, 0);
    of_book uuid;
    is_done boolean;
begin
    loop
        begin
            perform set_config('lock_timeout', '800ms', true);
            select s.book_id into of_book from public.suggestion s
            where (s.book_id, s.kind, s.text_key, s.text, s.category, s.cr_dr)
                > (after.book_id, after.kind, after.text_key, after.text, after.category, after.cr_dr)
            order by s.book_id, s.kind, s.text_key, s.text, s.category, s.cr_dr limit 1;
            perform pg_advisory_xact_lock(hashtextextended('rollup ' || of_book::text, 0));
            with batch as materialized (
                select s.* from public.suggestion s
                where s.book_id = of_book and (s.book_id, s.kind, s.text_key, s.text, s.category, s.cr_dr)
                    > (after.book_id, after.kind, after.text_key, after.text, after.category, after.cr_dr)
                order by s.book_id, s.kind, s.text_key, s.text, s.category, s.cr_dr limit 1000
            ), gone as (
                delete from public.suggestion s using batch b
                where (s.book_id, s.kind, s.text_key, s.text, s.category, s.cr_dr)
                        = (b.book_id, b.kind, b.text_key, b.text, b.category, b.cr_dr)
                    and (b.text_key <> left(public.bahi_search_key(b.text), 300)
                        or not public.bahi_is_suggestible(b.text))
                returning s.*
            ), moved as (
                insert into public.suggestion as t (book_id, kind, text_key, text, category, cr_dr, uses, last_ver)
                select g.book_id, g.kind, '', g.text, g.category, g.cr_dr, sum(g.uses), max(g.last_ver)
                from gone g where public.bahi_is_suggestible(g.text)
                group by g.book_id, g.kind, g.text, g.category, g.cr_dr
                on conflict (book_id, kind, text_key, text, category, cr_dr) do update
                    set uses = t.uses + excluded.uses, last_ver = greatest(t.last_ver, excluded.last_ver)
            )
            select b.* into last from batch b
            order by b.book_id desc, b.kind desc, b.text_key desc, b.text desc, b.category desc, b.cr_dr desc limit 1;
            is_done := true;
        exception when lock_not_available or deadlock_detected then
            is_done := false; -- a roll-up works on this book: it goes first
        end;
        commit;
        if is_done then
            exit when of_book is null;
            after := last;
        else
            perform pg_sleep(random());
        end if;
    end loop;
end $$;
-- afterwards
do $$ -- an index that was not finished is of no use; a moment's lock removes it
begin
    while exists (
        select from pg_catalog.pg_index i
        where i.indexrelid = to_regclass('public.accounting_entry_key') and not i.indisvalid
    ) loop
        begin
            set local lock_timeout = '800ms';
            drop index public.accounting_entry_key;
        exception when lock_not_available or deadlock_detected then
            perform pg_sleep(random());
        end;
    end loop;
end $$
-- afterwards
create index concurrently if not exists accounting_entry_key on public.accounting_entry using gin (
    book_id, public.bahi_entry_key(description, category, human_code, amount) public.gin_trgm_ops
) with (gin_pending_list_limit = 512) where voided_at is null
-- afterwards
drop index concurrently if exists public.accounting_entry_search
-- afterwards
call public.bahi_key_suggestions_again()
