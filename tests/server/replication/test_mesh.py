"""Regions join and leave while others write, and hold the same afterwards."""

import itertools
from typing import Final

import psycopg
import pytest

from server.errors import StartError
from server.replication import subscriptions
from server.replication.mesh import Mesh
from server.replication.node import connect
from server.replication.regions import Region
from tests.server.replication.conftest import Regions
from tests.support.journal import entry_row, write_journal
from tests.support.postgres import Cluster, rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK, writers

NOWHERE: Final = "postgresql://bahi:hidden-word@127.0.0.1:1/bahi"


def _journal(region: Region) -> set[str]:
    return {str(op_id) for (op_id,) in rows(region.url, "select op_id from public.journal")}


def _parts(region: Region) -> tuple[int, int, int]:
    """How many subscriptions, slots and roles of peers a region has."""
    peers = f"bahi_{region.code.replace('-', '_')}_to_%"
    return rows(region.url, _PARTS, peers)[0]  # type: ignore[return-value]


_PARTS: Final = """
select
    (select count(*) from pg_subscription s join pg_database d on d.oid = s.subdbid
        where d.datname = current_database()),
    (select count(*) from pg_replication_slots where database = current_database()),
    (select count(*) from pg_roles where rolname like %s)
"""


def test_two_join_then_a_third_while_all_write_and_all_hold_the_same(regions: Regions) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    mesh = Mesh(three)
    write_journal(a.url, BOOK, [entry_row(code=f"A01-{number:06}") for number in range(300)])
    write_journal(b.url, BOOK, [entry_row(code=f"B01-{number:06}") for number in range(200)])
    with writers([a.url, b.url, c.url]) as written:
        mesh.join("b-1", ["a-1"])
        wait_until(lambda: written.count > 200)
        mesh.join("c-1")
        so_far = written.count
        wait_until(lambda: written.count > so_far + 100)
    found = mesh.verify()
    assert found.are_equal, found.differences
    assert found.late == ()
    assert all(written.ids <= _journal(region) for region in three)
    rows_now = mesh.verify().rows["journal"]
    assert rows_now == dict.fromkeys(("a-1", "b-1", "c-1"), 500 + written.count)
    assert mesh.status().is_well


def test_joining_again_changes_nothing(regions: Regions) -> None:
    two = regions("a-1", "b-1")
    said: list[str] = []
    mesh = Mesh(two, said.append)
    mesh.join("a-1")
    before = [rows(region.url, "select oid from pg_subscription order by 1") for region in two]
    said.clear()
    mesh.join("b-1")
    assert said == ["b-1 → a-1: exists already", "a-1 → b-1: exists already"]
    assert [rows(region.url, "select oid from pg_subscription order by 1") for region in two] == before


@pytest.mark.parametrize("step", ["give_peer", "slot", "subscription", "connection", "tables"])
def test_a_join_that_was_cut_short_is_completed(
    regions: Regions, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    a, b = two = regions("a-1", "b-1")
    write_journal(a.url, BOOK, [entry_row()])
    with monkeypatch.context() as cut, connect(a) as one, connect(b) as other:
        cut_at = {
            "give_peer": ("run", "grant {group}"),
            "slot": ("rows", "make_slot"),
            "subscription": ("run", "create subscription"),
            "connection": ("rows", "connect"),
            "tables": ("run", "enable"),
        }[step]
        for node in (one, other):
            subscriptions.publish(node)
            subscriptions.roles.prepare_publisher(node)
            subscriptions.roles.prepare_subscriber(node)
        plain = getattr(type(one), cut_at[0])

        def cut_short(self: object, statement: str, *values: object, **parts: object) -> object:
            done = plain(self, statement, *values, **parts)
            if cut_at[1] in statement:
                raise KeyboardInterrupt
            return done

        cut.setattr(type(one), cut_at[0], cut_short)
        with pytest.raises(KeyboardInterrupt):
            subscriptions.ensure(one, other)
    mesh = Mesh(two)
    mesh.join("b-1")
    assert mesh.verify().are_equal
    assert mesh.status().is_well
    assert [_parts(region) for region in two] == [(1, 1, 1), (1, 1, 1)]


def test_one_that_leaves_has_given_all_it_had_and_keeps_no_part_of_the_mesh(regions: Regions) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    mesh = Mesh(three)
    mesh.join("a-1", ["b-1"])
    mesh.join("c-1")
    with writers([a.url, b.url]) as written, writers([c.url]) as last:
        wait_until(lambda: written.count > 50 and last.count > 50)
        found = mesh.leave("c-1")
        assert found.are_equal, found.differences
    with writers([a.url, b.url]):
        pass
    stay = Mesh([a, b])
    assert stay.verify().are_equal
    assert stay.status().is_well
    assert _parts(c) == (0, 0, 0)
    assert _parts(a) == _parts(b) == (1, 1, 1)
    assert mesh.status().members == ("a-1", "b-1")


def test_what_a_dead_region_gave_to_one_only_is_given_to_the_others(regions: Regions) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    mesh = Mesh(three)
    mesh.join("a-1", ["b-1"])
    mesh.join("c-1")
    rows(b.url, "alter subscription bahi_from_c_1 disable")
    wait_until(lambda: not rows(c.url, _ACTIVE, "bahi_c_1_to_b_1"))
    with writers([c.url]) as last:
        wait_until(lambda: last.count > 50)
    wait_until(lambda: last.ids <= _journal(a))
    assert not last.ids & _journal(b)
    stay = Mesh([a, b, Region("c-1", NOWHERE)])
    with writers([a.url, b.url]):
        found = stay.leave("c-1", dead=True)
    assert found.are_equal
    assert last.ids <= _journal(b)
    assert Mesh([a, b]).verify().are_equal
    assert _parts(a) == _parts(b) == (1, 1, 1)
    assert stay.status().members == ("a-1", "b-1")


_ACTIVE: Final = "select 1 from pg_replication_slots where slot_name = %s and active"


def test_a_change_is_decoded_once_for_each_peer_and_never_travels_back(regions: Regions) -> None:
    three = regions("a-1", "b-1", "c-1")
    a = three[0]
    mesh = Mesh(three)
    write_journal(a.url, BOOK, [entry_row() for _ in range(100)])
    for region in three:  # reads what each peer is sent, from before the joins on
        rows(region.url, "select pg_create_logical_replication_slot(%s, 'pgoutput')", _counter(region))
    mesh.join("a-1", ["b-1"])
    mesh.join("c-1")
    with writers([region.url for region in three]) as written:
        wait_until(lambda: written.count > 150)
    assert mesh.verify().are_equal
    # What only one has, given to the others by repair, is written by hand at none of them either.
    with psycopg.connect(a.url, autocommit=True) as connection:
        connection.execute("select pg_replication_origin_create(%s)", (f"hidden_{_counter(a)}",))
        connection.execute("select pg_replication_origin_session_setup(%s)", (f"hidden_{_counter(a)}",))
        connection.execute(_BY_HAND, (BOOK,))
    assert mesh.repair().are_equal
    for region in three:
        sent = rows(region.url, _SENT, _counter(region))[0][0]
        assert sent == len(written.rows[region.url])
    for one, other in itertools.permutations(three, 2):
        assert rows(other.url, "select count(*) from public.journal") == rows(
            one.url, "select count(*) from public.journal"
        )


def _counter(region: Region) -> str:
    return f"counter_{region.code.replace('-', '_')}"


_BY_HAND: Final = """
insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)
select %s, gen_random_uuid(), 'other', gen_random_uuid(), n, '{}', gen_random_uuid(), gen_random_uuid(), 'x'
from generate_series(1, 50) n
"""
# The first byte of an insert's message is "I" (PostgreSQL, logical replication message formats).
_SENT: Final = """
select count(*) from pg_logical_slot_peek_binary_changes(
    %s, null, null, 'proto_version', '1', 'publication_names', 'bahi', 'origin', 'none')
where get_byte(data, 0) = ascii('I')
"""


def test_a_region_that_was_set_back_rejoins_anew(regions: Regions) -> None:
    _a, b = two = regions("a-1", "b-1")
    mesh = Mesh(two)
    mesh.join("a-1")
    write_journal(b.url, BOOK, [entry_row()])
    assert mesh.verify().are_equal
    rows(b.url, "truncate public.journal, public.accounting_entry, public.entry_delta")
    assert not mesh.verify().are_equal
    mesh.join("b-1", anew=True)
    assert mesh.verify().are_equal
    assert _parts(b) == (1, 1, 1)


def test_what_one_alone_had_from_a_region_that_was_set_back_is_given_to_the_others(
    regions: Regions,
) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    mesh = Mesh(three)
    mesh.join("a-1", ["b-1"])
    mesh.join("c-1")
    rows(a.url, "alter subscription bahi_from_c_1 disable")
    wait_until(lambda: not rows(c.url, _ACTIVE, "bahi_c_1_to_a_1"))
    last = entry_row()
    write_journal(c.url, BOOK, [last])
    wait_until(lambda: last.op_id in _journal(b))
    rows(c.url, "truncate public.journal, public.accounting_entry, public.entry_delta")
    mesh.join("c-1", anew=True)
    assert all(_journal(region) == {last.op_id} for region in three)
    assert mesh.verify().are_equal


def test_a_region_that_is_not_in_the_file_is_no_region(regions: Regions) -> None:
    mesh = Mesh(regions("a-1", "b-1"))
    with pytest.raises(StartError, match="no region x-1"):
        mesh.join("x-1")


def test_one_that_cannot_be_reached_is_told_without_its_password() -> None:
    mesh = Mesh([Region("a-1", NOWHERE), Region("b-1", NOWHERE)])
    with pytest.raises(StartError, match="a-1 cannot be reached") as caught:
        mesh.join("a-1")
    assert "hidden-word" not in str(caught.value)
    status = mesh.status()
    assert set(status.away) == {"a-1", "b-1"}
    assert "hidden-word" not in repr(mesh) + repr(status)


def test_two_commands_do_not_change_one_mesh_at_once(regions: Regions) -> None:
    two = regions("a-1", "b-1")
    with connect(two[0]) as node:
        assert node.value("lock", {"key": 0x6261_6869 + 1})
        with pytest.raises(StartError, match="running at a-1"):
            Mesh(two).join("b-1")
    Mesh(two).join("b-1")


def test_no_password_comes_into_a_log(regions: Regions, logical: Cluster) -> None:
    a, _b = two = regions("a-1", "b-1")
    Mesh(two).join("a-1")
    found = rows(a.url, "select subconninfo from pg_subscription where subname = 'bahi_from_b_1'")
    ((connection,),) = found
    password = dict(part.split("=", 1) for part in connection.split())["password"]
    assert len(password) > 40
    text = (logical.embedded.data / "postgres.log").read_text(encoding="utf-8")
    assert "create subscription" in text.lower()
    assert "password=" not in text.replace("password=none-yet", "")
    assert password not in text


def test_a_subscription_that_cannot_connect_leaves_no_slot_and_no_secret(
    regions: Regions, logical: Cluster
) -> None:
    a, b = regions("a-1", "b-1")
    unreachable = Region("a-1", a.url, peer_url="postgresql://127.0.0.1:1/bahi")
    with pytest.raises(StartError, match="a-1 → b-1") as caught:
        Mesh([unreachable, b]).join("a-1")
    assert "connection" in str(caught.value)
    assert "password" not in str(caught.value)
    assert _parts(a)[1] == 0
    assert _parts(b)[0] == 0
    text = (logical.embedded.data / "postgres.log").read_text(encoding="utf-8")
    assert "password=" not in text.replace("password=none-yet", "")


def test_peers_may_only_read_what_is_published_and_write_as_one_with_few_rights(regions: Regions) -> None:
    a, _b = two = regions("a-1", "b-1")
    Mesh(two).join("a-1")
    rights = rows(
        a.url,
        "select table_name, string_agg(privilege_type, ' ' order by privilege_type)"
        " from information_schema.role_table_grants where grantee = 'bahi_replication'"
        " and table_schema = 'public' group by 1 order by 1",
    )
    assert rights == [(name, "SELECT") for name in ("invite_use", "journal", "refresh_use", "revocation")]
    owner = rows(
        a.url,
        "select r.rolname, r.rolsuper, r.rolcreaterole, r.rolreplication, r.rolpassword is null"
        " from pg_subscription s join pg_authid r on r.oid = s.subowner where s.subname = 'bahi_from_b_1'",
    )
    assert owner == [("bahi_apply", False, False, False, True)]
    assert rows(a.url, "select has_table_privilege('bahi_apply', 'public.journal', 'update, delete')") == [
        (False,)
    ]
