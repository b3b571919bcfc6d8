"""The operator's folder and commands."""

import stat
import sys
from pathlib import Path

import pytest

from app.domain.invite_text import find_links
from server.cli.roster import joined
from server.cli.roster_table import show
from server.cluster import roster as rosters
from server.cluster.roster_admin import RosterAdmin, public_key
from server.contract import cluster, signing
from server.contract.cluster import Roster
from server.errors import StartError
from server.tokens import invites
from server.tokens.keys import NEXT_KEY, load_or_make_key
from server.tokens.tokens import Signer
from tests.support.servers import Ended, command

CENTRAL = "https://bahi.example.org"
NOW = 1_800_000_000.0


@pytest.fixture
def operator(tmp_path: Path) -> RosterAdmin:
    made = RosterAdmin(tmp_path / "cluster", clock=lambda: NOW)
    made.init(CENTRAL, 365)
    return made


def _text(operator: RosterAdmin) -> str:
    return (operator.folder / "roster.jws").read_text(encoding="ascii")


def _grow(roster: Roster, now: int) -> Roster:
    return rosters.add_region(roster, "ap-south-1", "M", now)


def test_a_new_cluster_is_verified_by_its_printed_fingerprint(tmp_path: Path) -> None:
    operator = RosterAdmin(tmp_path / "new" / "cluster")
    fingerprint = operator.init(CENTRAL, 30)
    roster = cluster.read_roster(_text(operator), fingerprint)
    assert (roster.version, roster.central_url) == (1, CENTRAL)
    assert operator.roster() == roster


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_only_the_owner_can_read_the_cluster_key(operator: RosterAdmin) -> None:
    mode = (operator.folder / "cluster-key.pem").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(operator.folder.stat().st_mode) == 0o700


def test_a_cluster_is_created_only_once(operator: RosterAdmin) -> None:
    before = _text(operator)
    with pytest.raises(StartError, match="a cluster in"):
        operator.init(CENTRAL, 365)
    assert _text(operator) == before
    (operator.folder / "roster.jws").unlink()
    with pytest.raises(
        StartError, match="a cluster in"
    ):  # versions would begin anew, and be refused everywhere
        operator.init(CENTRAL, 365)


def test_a_failed_creation_leaves_no_key(tmp_path: Path) -> None:
    operator = RosterAdmin(tmp_path)
    with pytest.raises(StartError, match="not a valid address"):
        operator.init("http://bahi.example.org", 365)
    assert list(tmp_path.iterdir()) == []
    assert operator.init(CENTRAL, 365)


def test_a_change_is_signed_and_one_that_is_refused_changes_nothing(operator: RosterAdmin) -> None:
    assert operator.change(_grow).version == 2
    before = _text(operator)
    with pytest.raises(StartError, match="a region ap-south-1 already"):
        operator.change(_grow)
    assert _text(operator) == before
    assert operator.roster().version == 2
    assert not list(operator.folder.glob("*.new"))


def test_without_the_key_nothing_changes(operator: RosterAdmin) -> None:
    (operator.folder / "cluster-key.pem").rename(operator.folder / "elsewhere.pem")
    with pytest.raises(StartError, match="cluster key is not in"):
        operator.change(_grow)


def test_a_roster_of_another_cluster_is_reported(operator: RosterAdmin, tmp_path: Path) -> None:
    other = RosterAdmin(tmp_path / "other")
    other.init(CENTRAL, 365)
    (operator.folder / "roster.jws").write_text(_text(other), encoding="ascii")
    with pytest.raises(StartError, match="another cluster's key"):
        operator.change(_grow)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é"])
def test_a_damaged_roster_is_reported(operator: RosterAdmin, text: str) -> None:
    (operator.folder / "roster.jws").write_text(text, encoding="utf-8")
    with pytest.raises(StartError, match="damaged"):
        operator.roster()


def test_a_missing_roster_is_reported(operator: RosterAdmin) -> None:
    (operator.folder / "roster.jws").unlink()
    with pytest.raises(StartError, match="roster init"):
        operator.roster()


def test_an_invitation_is_a_link_with_a_code_that_the_clusters_key_signed(operator: RosterAdmin) -> None:
    (link,) = find_links(operator.invite(7)).links
    signer = Signer(load_or_make_key(operator.folder / "cluster-key.pem"))
    assert (link.address, link.fingerprint) == (CENTRAL, signing.fingerprint(signer.raw_public))
    assert invites.read_invite(signer, link.code, int(NOW) + 7 * 86_400 - 1)
    claims = signer.verify(link.code, invites.AUDIENCE)
    assert claims["iss"] == "cluster"
    with pytest.raises(invites.InviteError, match="expired"):
        invites.read_invite(signer, link.code, int(NOW) + 7 * 86_400)


def test_each_invitation_is_different(operator: RosterAdmin) -> None:
    assert operator.invite(7) != operator.invite(7)


@pytest.mark.parametrize("days", [0, 91])
def test_the_lifetime_of_an_invitation_has_limits(operator: RosterAdmin, days: int) -> None:
    with pytest.raises(StartError, match="for 1 to 90 days"):
        operator.invite(days)


def test_the_next_key_waits_beside_the_one_in_use(tmp_path: Path) -> None:
    first, later = public_key(tmp_path), public_key(tmp_path, next_one=True)
    assert first != later
    assert (public_key(tmp_path), public_key(tmp_path, next_one=True)) == (first, later)
    assert len(signing.decode_key(later)) == 32
    assert (tmp_path / NEXT_KEY).exists()


# --- what a person reads ------------------------------------------------------------------------------


def _shown(operator: RosterAdmin, now: float = NOW) -> str:
    operator.change(_grow)
    key, later = public_key(operator.folder / "a"), public_key(operator.folder / "b")
    url = "https://mum-1.example.org"
    operator.change(lambda roster, at: rosters.add_server(roster, "in-mum-1", "ap-south-1", url, key, at))
    operator.change(lambda roster, at: rosters.rotate(roster, "in-mum-1", later, at))
    return show(operator.roster(), now)


def test_the_roster_is_shown_with_keys_and_expiry(operator: RosterAdmin) -> None:
    text = _shown(operator)
    assert "ap-south-1  M       1" in text
    assert "in-mum-1  ap-south-1  https://mum-1.example.org" in text
    assert "trusted until 2027-02-16" in text
    assert "signs from 2027-01-16" in text
    assert "valid until 2028-01-15" in text
    assert "WARNING" not in text


@pytest.mark.parametrize(
    ("days", "words"), [(340, "WARNING: valid only until"), (366, "WARNING: expired on")]
)
def test_a_warning_is_shown_if_the_roster_expires_soon(operator: RosterAdmin, days: int, words: str) -> None:
    assert words in _shown(operator, NOW + days * 86_400)


# --- the commands -------------------------------------------------------------------------------------


def test_a_key_that_begins_with_a_dash_is_not_read_as_an_option() -> None:
    assert joined(["rotate", "x", "--key", "-abc", "--now"]) == ["rotate", "x", "--key=-abc", "--now"]
    assert joined(["rotate", "x", "--key=-abc"]) == ["rotate", "x", "--key=-abc"]
    assert joined(["--key"]) == ["--key="]


def _roster(folder: Path, *arguments: str) -> Ended:
    return command("roster", *arguments, "--folder", str(folder))


def test_a_cluster_is_made_from_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    begun = _roster(folder, "init", "--central", CENTRAL)
    assert begun.status == 0
    fingerprint = begun.out.splitlines()[0].removeprefix("cluster_key = ")
    keys = [command("key", "--data", str(tmp_path / name)).out.strip() for name in ("a", "b")]
    later = command("key", "--data", str(tmp_path / "a"), "--next").out.strip()
    server = ("in-mum-1", "--region", "ap-south-1", "--url", "https://mum-1.example.org", "--key", keys[0])
    discovery = ("disc-1", "--discovery", "--url", "https://disc-1.example.org", "--key", keys[1])
    for arguments in (
        ("region", "ap-south-1", "M"),
        ("add", *server),
        ("add", *discovery),
        ("rotate", "in-mum-1", "--key", later, "--now"),
        ("renew", "--days", "30"),
        ("remove", "disc-1"),
    ):
        done = _roster(folder, *arguments)
        assert done.status == 0, done.errors
    roster = cluster.read_roster((folder / "roster.jws").read_text(encoding="ascii"), fingerprint)
    assert roster.version == 7
    assert roster.discovery == []
    assert [key.key for key in roster.servers[0].keys] == [later]
    assert fingerprint in _roster(folder, "show").out
    (link,) = find_links(_roster(folder, "invite").out).links
    assert link.fingerprint == fingerprint


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",),
        ("region", "ap-south-1", "M"),
        ("invite",),
        ("init", "--central", "http://bahi.example.org"),
    ],
)
def test_what_cannot_be_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = _roster(tmp_path, *arguments)
    assert ended.status == 1
    assert ended.errors.startswith("bahi-server: ")
    assert "Traceback" not in ended.errors
