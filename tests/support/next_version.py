"""A simulated next version of the server, with a new column: a note for each entry.

It is a copy of the present server with another migration and the few lines that this feature needs, so that
old and new servers can run at the same time, as in an upgrade.
"""

import shutil
from pathlib import Path
from typing import Final

from server.db.migrate import all_migrations
from tests.support.node import ROOT

_FIELD: Final = "    note: str | msgspec.UnsetType = msgspec.UNSET\n"
_PATCHES: Final = (
    ("contract/shapes.py", "\n\nclass EditEntry", f"{_FIELD}\n\nclass EditEntry"),
    ("contract/shapes.py", "\n\nclass VoidEntry", f"{_FIELD}\n\nclass VoidEntry"),
    (
        # What was not sent is not written: an operation has one text, at whatever server of whatever version.
        "entries/records.py",
        '        "description": body.description,\n    }\n',
        '        "description": body.description,\n'
        '    } | ({} if body.note is msgspec.UNSET else {"note": body.note})\n',
    ),
)

NOTE: Final = r"""-- oldest program: {oldest:04}
alter table public.accounting_entry add column note varchar(200);

create or replace function public.bahi_merge_entry(r public.journal) returns void language plpgsql as $$
declare
    d jsonb := r.doc::jsonb;
begin
    insert into public.accounting_entry as t (
        book_id, id, entry_date, amount, cr_dr, currency, category, description, human_code,
        created_at, updated_at, voided_at, ver, op_id, author, note
    ) values (
        r.book_id, r.id, (d ->> 'entryDate')::date, (d ->> 'amount')::numeric, d ->> 'crDr', d ->> 'currency',
        d ->> 'category', d ->> 'description', d ->> 'humanCode',
        public.bahi_instant((d ->> 'createdVer')::bigint), public.bahi_instant(r.ver),
        public.bahi_instant((d ->> 'voidedVer')::bigint), r.ver, r.op_id, r.author, d ->> 'note'
    )
    on conflict (book_id, id) do update set
        entry_date = excluded.entry_date, amount = excluded.amount, cr_dr = excluded.cr_dr,
        currency = excluded.currency, category = excluded.category, description = excluded.description,
        human_code = excluded.human_code, created_at = excluded.created_at, updated_at = excluded.updated_at,
        voided_at = excluded.voided_at, ver = excluded.ver, op_id = excluded.op_id, author = excluded.author,
        note = excluded.note
    where (excluded.ver, excluded.op_id) >= (t.ver, t.op_id);
end $$;
-- afterwards
call public.bahi_merge_again('entry', 'note')
"""


def note_migration() -> tuple[str, str]:
    """Return the name and the text of the migration that brings the column."""
    last = all_migrations()[-1].number
    return f"{last + 1:04}_note.sql", NOTE.format(oldest=last)


def make_next_version(folder: Path) -> Path:
    """Write that version below `folder`; return it, as the root of a program."""
    shutil.copytree(ROOT / "server", folder / "server", ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in _PATCHES:
        file = folder / "server" / name
        text = file.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} has changed: {before!r}"
        file.write_text(text.replace(before, after), encoding="utf-8")
    name, text = note_migration()
    (folder / "server" / "db" / "migrations" / name).write_text(text, encoding="utf-8")
    return folder
