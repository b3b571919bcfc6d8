"""What only some regions have is found, told, and given to the others; a lost link is made anew."""

import json
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest

from server.__main__ import main
from server.errors import StartError
from server.replication.mesh import Mesh
from server.replication.regions import Region
from tests.server.replication.conftest import Regions
from tests.support.exact import wrong_totals
from tests.support.journal import JournalRow, document_row, entry_row, write_journal
from tests.support.lost_slot import lose_slot
from tests.support.postgres import rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK, writers


def write_unsent(region: Region, *journal: JournalRow) -> None:
    """Write rows that no peer is sent, as those that a dead region gave to this one alone."""
    origin = f"elsewhere_{uuid4().hex[:8]}"
    with psycopg.connect(region.url, autocommit=True) as connection:
        connection.execute("select pg_replication_origin_create(%s)", (origin,))
        connection.execute("select pg_replication_origin_session_setup(%s)", (origin,))
        with connection.cursor().copy(_COPY) as copy:
            for row in journal:
                doc = json.dumps(row.doc)
                copy.write_row((BOOK, row.op_id, row.kind, row.id, row.ver, doc, row.author, row.author, "z"))
        connection.execute("select pg_replication_origin_session_reset()")
        connection.execute("select pg_replication_origin_drop(%s)", (origin,))


_COPY: Final = "copy public.journal (book_id, op_id, kind, id, ver, doc, author, device, region) from stdin"


def operator_file(folder: Path, *regions: Region) -> str:
    path = folder / "replication.toml"
    text = "".join(f'[regions.{region.code}]\nurl = "{region.url}"\n' for region in regions)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_what_each_lacks_is_told_by_book_and_month_and_exchanged_while_others_write(
    regions: Regions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    file = operator_file(tmp_path, *three)
    assert main(["replication", "join", "a-1", "--file", file, "--against", "b-1"]) == 0
    assert main(["replication", "join", "c-1", "--file", file]) == 0
    assert "All 6 subscriptions work" in capsys.readouterr().out
    may = 1_777_700_000_000_000  # µs: 2 May 2026
    entry = entry_row(ver=may)
    write_unsent(a, entry, document_row(entry.id, ver=may + 1))
    write_unsent(b, *(entry_row(ver=may + n) for n in range(1_500)))
    rows(c.url, "insert into public.revocation (book_id, fam, reason) values (%s, %s, 'x')", BOOK, uuid4())
    with writers([a.url, c.url]) as written:
        wait_until(lambda: written.count > 20)
        with pytest.raises(SystemExit) as ended:
            main(["replication", "verify", "--file", file])
        assert ended.value.code == 1
        told = capsys.readouterr().out
        assert f"journal, book {BOOK}, 2026-05: a-1 lacks 1500, b-1 lacks 2, c-1 lacks 1502" in told
        assert "revocation" not in told.partition("\n\n")[2]
        assert main(["replication", "repair", "--file", file]) == 0
    assert main(["replication", "verify", "--file", file]) == 0  # waits for what is under way
    assert "are equal" in capsys.readouterr().out
    assert main(["replication", "verify", "--file", file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["equal"]
    assert set(found["rows"]["journal"].values()) == {1_502 + written.count}
    assert len(set(found["rows"]["accounting_entry"].values())) == 1
    # The bytes of a bill whose row came by repair are fetched as those of any other.
    assert rows(b.url, "select region from public.document_wanted") == [("z",)]
    assert rows(a.url, "select 1 from public.document_wanted") == []


def test_a_merged_row_that_is_not_what_the_journal_says_is_told_and_merged_again(regions: Regions) -> None:
    a, b = two = regions("a-1", "b-1")
    mesh = Mesh(two)
    mesh.join("a-1")
    bent, gone, kept = (entry_row() for _ in range(3))
    newer = entry_row(id_=bent.id, ver=bent.ver + 1, description="The newer one")
    write_journal(a.url, BOOK, [bent, newer, gone, kept])
    assert mesh.verify().are_equal
    with psycopg.connect(b.url) as connection:
        bend = "update public.accounting_entry set description = 'bent' where id = %s"
        connection.execute(bend, (bent.id,))
        connection.execute("delete from public.accounting_entry where id = %s", (gone.id,))
    found = mesh.verify().differences
    assert {each.row_slice.table for each in found} == {"accounting_entry"}
    assert (sum(each.unlike for each in found), sum(each.missing.get("b-1", 0) for each in found)) == (1, 1)
    assert mesh.repair().are_equal
    standing = "select description from public.accounting_entry where id = %s"
    assert rows(b.url, standing, bent.id) == [("The newer one",)]
    assert wrong_totals(b.url) == []


def test_what_only_one_version_has_is_not_compared_while_regions_are_upgraded(regions: Regions) -> None:
    a, b = two = regions("a-1", "b-1")
    mesh = Mesh(two)
    mesh.join("a-1")
    rows(a.url, "alter table public.accounting_entry add column note varchar(200) default 'x'")
    row = entry_row()
    write_journal(a.url, BOOK, [row])
    assert mesh.verify().are_equal
    rows(b.url, "update public.accounting_entry set amount = amount + 1")
    assert [each.unlike for each in mesh.verify().differences] == [1]


def test_a_lost_slot_is_told_and_its_link_made_anew(
    regions: Regions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = two = regions("a-1", "b-1")
    file = operator_file(tmp_path, *two)
    Mesh(two).join("a-1")
    rows(b.url, "alter subscription bahi_from_a_1 disable")
    write_journal(a.url, BOOK, [entry_row()])
    # Its end is noted by the other region a moment later; the link the other way must not be lost with it.
    idle = "select 1 from pg_replication_slots where slot_name = 'bahi_a_1_to_b_1' and not active"
    wait_until(lambda: rows(a.url, idle))
    lose_slot(a.url, "bahi_a_1_to_b_1", "bahi_b_1_to_a_1", 60)
    wait_until(lambda: [link.state for link in Mesh(two).status().subscriptions].count("ok") == 1)
    with pytest.raises(SystemExit) as ended:
        main(["replication", "status", "--file", file])
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert (
        "1 of 2 subscriptions need attention; a-1 → b-1: "
        "its slot is lost (wal_removed): run `replication repair`" in told
    )
    assert main(["replication", "repair", "--file", file]) == 0
    assert "are equal" in capsys.readouterr().out
    assert main(["replication", "status", "--file", file, "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["well"]
    assert {link["state"] for link in status["links"]} == {"ok"}
    assert rows(b.url, "select count(*) from public.journal") == [(1,)]


def test_a_changed_subscription_is_reported(regions: Regions) -> None:
    a, b = two = regions("a-1", "b-1")
    mesh = Mesh(two)
    assert mesh.status().verdict == "No regions are joined: run `replication join`."
    mesh.join("a-1")
    rows(b.url, "alter subscription bahi_from_a_1 disable")
    status = mesh.status()
    assert not status.is_well
    assert (
        status.verdict
        == "1 of 2 subscriptions need attention; a-1 → b-1: it is disabled: run `replication join b-1`."
    )
    mesh.join("b-1")
    wait_until(lambda: mesh.status().is_well)
    assert a.code == "a-1"


def test_so_much_that_rows_cannot_be_compared_is_told_with_the_way_out(
    regions: Regions, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = two = regions("a-1", "b-1")
    mesh = Mesh(two)
    mesh.join("a-1")
    write_unsent(a, *(entry_row() for _ in range(30)))
    monkeypatch.setattr("server.replication.verify._MAX_ROWS", 20)
    with pytest.raises(StartError, match="--anew"):
        mesh.verify()
    mesh.join("b-1", anew=True)
    assert mesh.verify().are_equal
    assert rows(b.url, "select count(*) from public.journal") == [(30,)]
