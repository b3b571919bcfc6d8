"""`bahi-server user …`: as commands, and on a terminal."""

import io
import json
import os
import pty
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.domain.invite_text import find_links
from server.__main__ import main
from server.cli import users
from server.cli.users import DatabaseChoice
from server.config import read_config
from server.contract import paths, shapes
from server.contract.recovery_codes import code_hash, read_code
from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from server.errors import StartError
from server.node.folder_lock import lock_folder
from tests.support.api import PASSWORD, a_device, a_name, refusal
from tests.support.ports import steady_port
from tests.support.postgres import remove_cluster, rows
from tests.support.regional import Regional
from tests.support.servers import RunningServer, running_server, server_process

Start = Callable[..., RunningServer]
Run = Callable[..., tuple[int, str, str]]
NEW = "a new and longer password"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `bahi-server user …` with a line on standard input; return status, output, errors."""

    def run(*arguments: str, line: str = "", url: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(line))
        monkeypatch.setattr("server.__main__.log_to_stderr", lambda _level: None)  # the suite's logging stays
        monkeypatch.delenv("DATABASE_URL", raising=False)
        if url:
            monkeypatch.setenv("DATABASE_URL", url)
        status = main(["user", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def config_file(database_url: str, tmp_path: Path) -> Path:
    """The configuration of a server on this test's database."""
    path = tmp_path / "server.toml"
    path.write_text(
        f'data = "{tmp_path / "server"}"\ndatabase_url = "{database_url}"\nserver_id = "test-1"\n'
        'region = "test"\nregion_letter = "T"\n',
        encoding="utf-8",
    )
    return path


def test_a_user_who_is_added_signs_in_and_is_listed(run: Run, start_server: Start, config_file: Path) -> None:
    where = ("--config", str(config_file))
    assert run("add", "Asha Rao", *where, line=f"{PASSWORD}\n")[0] == 0
    listed = run("list", *where)[1].splitlines()
    assert listed[0].split("  ")[0] == "NAME"
    assert "Asha Rao" in listed[1]
    assert "never" in listed[1]
    book = start_server().api().login("asha rao")
    assert book.signed_in.user_name == "Asha Rao"
    assert "never" not in run("list", *where)[1]


def test_a_password_set_by_an_operator_is_prepared_as_the_program_does_it(
    run: Run, start_server: Start, config_file: Path
) -> None:
    where = ("--config", str(config_file))
    assert run("add", "Asha", *where, line="Cafe\u0301\u00a0au lait\n")[0] == 0
    start_server().api().login("Asha", "Café au lait")
    status, _, error = run("add", "Meera", *where, line="a tab\tin it\n")
    assert status != 0
    assert "control character" in error


def test_the_database_of_a_stopped_server_that_replicates_starts_with_the_servers_settings(
    run: Run, tmp_path: Path
) -> None:
    data, path = tmp_path / "region", tmp_path / "region.toml"
    path.write_text(
        f'data = "{data}"\nserver_id = "in-mum-1"\nregion = "ap-south-1"\nregion_letter = "M"\n'
        f"replication = true\ndatabase_port = {steady_port()}\n",
        encoding="utf-8",
    )
    embedded = EmbeddedPostgres.of(read_config(path))
    try:
        url = embedded.start()
        migrate(url)
        rows(url, "select pg_create_logical_replication_slot('a_region', 'pgoutput')")
        embedded.stop()  # with a slot, PostgreSQL starts only if wal_level is logical
        assert run("list", "--config", str(path))[0] == 0
    finally:
        embedded.stop()
        remove_cluster(data)


def test_a_name_that_is_taken_or_cannot_be_and_a_short_password_are_told(run: Run, config_file: Path) -> None:
    where = ("--config", str(config_file))
    run("add", "asha", *where, line=f"{PASSWORD}\n")
    for name, line, words in (
        ("ASHA", PASSWORD, "already"),
        (" ", PASSWORD, "fill in"),
        ("ravi", "short", "at least 8"),
        ("ravi", "", "no password"),
    ):
        status, out, error = run("add", name, *where, line=line)
        assert (status, out) == (1, "")
        assert words in error
    assert len(run("list", *where)[1].splitlines()) == 2


def test_a_reset_sets_the_password_and_ends_every_session(
    run: Run, start_server: Start, database_url: str
) -> None:
    server = start_server()
    one, other = server.api().register("asha"), server.api().login("asha")
    status, out, _ = run("reset", "ASHA", url=database_url, line=f"{NEW}\r\n")
    assert status == 0
    assert "sessions ended: 2" in out
    for book in (one, other):
        refused = refusal(lambda book=book: book.refresh(book.signed_in.refresh_token, "r1"))
        assert refused.code == "unauthenticated"
    assert refusal(lambda: server.api().login("asha")).code == "wrong_credentials"
    server.api().login("asha", NEW)
    assert "no user named" in run("reset", "nobody", url=database_url, line=NEW)[2]


def test_a_link_that_is_printed_sets_a_new_password_once(
    run: Run, start_server: Start, config_file: Path
) -> None:
    where = ("--config", str(config_file))
    config_file.write_text(config_file.read_text() + 'public_url = "https://books.example"\n')
    server = start_server()
    book = server.api().register("Asha Rao")
    status, out, logged = run("reset", "asha rao", "--link", *where)
    assert status == 0
    found = find_links(out)
    (link,) = found.resets
    assert found.links == ()  # it is no invitation
    assert link.address == "https://books.example"
    assert link.fingerprint == server.services.membership.fingerprint
    assert link.code not in logged
    server.api().login("asha rao")  # until the link is used, nothing changes
    body = shapes.PasswordReset(link.code, NEW, a_device())
    assert server.api().send("POST", paths.AUTH_RESET, shapes.SignedIn, body).book_id == book.book_id
    assert refusal(lambda: server.api().login("asha rao")).code == "wrong_credentials"
    assert refusal(lambda: book.refresh(book.signed_in.refresh_token, "r1")).code == "unauthenticated"
    refused = refusal(lambda: server.api().send("POST", paths.AUTH_RESET, shapes.SignedIn, body))
    assert "used already" in refused.fields["resetCode"]


def test_a_link_where_there_can_be_none_is_refused_with_a_sentence(
    run: Run, config_file: Path, tmp_path: Path, database_url: str
) -> None:
    for where, url in ((("--data", str(tmp_path)), ""), ((), database_url)):
        status, out, error = run("reset", "asha", "--link", *where, url=url)
        assert (status, out) == (1, "")
        assert "--config" in error
    assert "no user named" in run("reset", "asha", "--link", "--config", str(config_file))[2]


def test_a_name_that_an_operator_types_is_stored_tidied_and_found_however_it_is_typed(
    run: Run, start_server: Start, config_file: Path
) -> None:
    where = ("--config", str(config_file))
    assert run("add", "  Asha\u00a0 Ra\u200bo ", *where, line=f"{PASSWORD}\n")[0] == 0
    assert "already" in run("add", "asha rao", *where, line=f"{PASSWORD}\n")[2]
    api = start_server().api()
    for typed in ("Asha Rao", "ASHA RAO", "\uff21sha R\u200bao"):
        assert api.login(typed).signed_in.user_name == "Asha Rao"
    assert run("reset", " asha  rao", *where, line=f"{NEW}\n")[0] == 0


def test_an_account_with_a_name_as_an_earlier_version_stored_it_stays_reachable(
    run: Run, start_server: Start, config_file: Path, database_url: str
) -> None:
    api = start_server().api()
    earlier = api.register("ash\u200ba")
    as_before = "update public.username_claim set name_key = %s where book_id = %s returning 1"
    rows(database_url, as_before, "ash\u200ba", earlier.book_id)
    other = api.register("asha")
    assert api.login("Ash\u200bA").book_id == earlier.book_id
    assert api.login("Asha").book_id == other.book_id
    assert run("reset", "ash\u200ba", "--config", str(config_file), line=f"{NEW}\n")[0] == 0
    assert api.login("ash\u200ba", NEW).book_id == earlier.book_id


def test_an_invitation_that_is_printed_makes_an_account(
    run: Run, start_server: Start, config_file: Path
) -> None:
    status, code, _ = run("invite", "--config", str(config_file), "--days", "1")
    assert status == 0
    assert code.strip().count(".") == 2
    server = start_server(registration="invite")
    body = shapes.Registration("asha", PASSWORD, a_device(), code)
    assert server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body).user_name == "asha"


def test_an_invitation_where_there_can_be_none_is_refused_with_a_sentence(
    run: Run, config_file: Path, tmp_path: Path, database_url: str
) -> None:
    where = ("--config", str(config_file))
    assert "--config" in run("invite", url=database_url)[2]
    assert "--config" in run("invite", "--data", str(tmp_path))[2]
    assert "1 to 90 days" in run("invite", *where, "--days", "0")[2]
    config_file.write_text(config_file.read_text() + 'registration = "closed"\n')
    assert '"closed"' in run("invite", *where)[2]


def test_without_a_place_or_a_database_the_command_says_what_is_missing(
    run: Run, tmp_path: Path, empty_database_url: str
) -> None:
    assert "DATABASE_URL" in run("list")[2]
    assert "contains no book" in run("list", "--data", str(tmp_path / "nowhere"))[2]
    assert not (tmp_path / "nowhere").exists()
    assert "migrate" in run("list", url=empty_database_url)[2]
    assert "cannot be reached" in run("list", url="postgresql://x@127.0.0.1:1/x")[2]


def test_a_password_is_no_argument_of_any_command(run: Run) -> None:
    for command in ("add", "reset"):
        with pytest.raises(SystemExit):
            run(command, "asha", PASSWORD)


@pytest.fixture
def local_data(tmp_path: Path) -> Iterator[Path]:
    """The data folder of a book on its own computer, made and closed."""
    data = tmp_path / "book"
    data.mkdir()
    embedded = EmbeddedPostgres(data)
    try:
        migrate(embedded.start())
        embedded.stop()
        yield data
    finally:
        embedded.stop()
        remove_cluster(data)


def test_the_book_on_this_computer_is_reached_while_it_is_closed_only(run: Run, local_data: Path) -> None:
    where = ("--data", str(local_data))
    assert run("add", "Asha", *where, line=f"{PASSWORD}\n")[0] == 0
    assert "has a user already" in run("add", "Ravi", *where, line=f"{PASSWORD}\n")[2]
    with lock_folder(local_data):
        status, _, error = run("list", *where)
    assert status == 1
    assert "in use" in error
    assert "Close Bahi" in error
    out = run("reset", "Asha", *where, line=f"{NEW}\n")[1]
    code = out.rstrip().rpartition(" ")[2]
    assert read_code(code)
    embedded = EmbeddedPostgres(local_data)
    try:
        stored = rows(embedded.start(), "select doc from public.journal where kind = 'credential'")
    finally:
        embedded.stop()
    assert code_hash(read_code(code)) in str(stored)
    status, out, _ = run("reset", "A\u200bsha", *where, line="\n")
    assert (status, "Asha needs no password now: it was removed" in out) == (0, True)
    # one's own book may go without a password
    embedded = EmbeddedPostgres(local_data)
    try:
        assert rows(embedded.start(), "select password_hash from public.credential") == [("",)]
    finally:
        embedded.stop()


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_at_a_terminal_the_password_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch, config_file: Path
) -> None:
    answers = iter([PASSWORD, "mistyped", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    parent, child = pty.openpty()
    with open(child) as terminal:  # noqa: PTH123 - a descriptor, not a path
        monkeypatch.setattr("sys.stdin", terminal)
        with pytest.raises(StartError, match="differ"):
            users.add(DatabaseChoice(config_file), "asha")
        users.add(DatabaseChoice(config_file), "asha")
    os.close(parent)
    assert "asha" in users.list_users(DatabaseChoice(config_file))


def test_an_invitation_of_a_server_without_an_id_of_its_own_makes_an_account(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "server.toml"
    config.write_text(f'data = "{tmp_path / "data"}"\nhost = "127.0.0.1"\n', encoding="utf-8")
    status, code, _ = run("invite", "--config", str(config))
    assert status == 0
    given = {"DATABASE_URL": database_url}
    with server_process("run", "--config", str(config), environment=given) as server:
        body = shapes.Registration("Asha", PASSWORD, a_device(), code.strip())
        assert server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body).user_name == "Asha"
        assert server.end() == 0


def test_an_invitation_of_a_server_of_a_cluster_is_signed_with_the_rosters_key(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    regional = Regional(tmp_path, ("in-1", "in-2"))
    config = tmp_path / "server.toml"
    values = msgspec.to_builtins(regional.config("in-1", "", registration="invite"))
    config.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    status, code, _ = run("invite", "--config", str(config))
    assert status == 0
    with running_server(regional.config("in-2", database_url, registration="invite")) as server:
        body = shapes.Registration(a_name(), PASSWORD, a_device(), code.strip())
        assert server.api().send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body).book_id
