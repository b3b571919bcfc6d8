"""Accounts and sessions in two regions that merge: names, passwords, stolen tokens, invitations."""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from server.cluster.trusted_keys import CLUSTER
from server.contract import paths, shapes
from server.tokens.invites import make_invite
from server.tokens.password_resets import ResetCode, make_reset
from server.tokens.tokens import Signer
from tests.support.api import PASSWORD, Api, BookApi, a_device, a_name, refusal
from tests.support.postgres import Cluster, rows
from tests.support.servers import command
from tests.support.two_regions import MUMBAI_1, SINGAPORE_1, TwoRegions, two_regions
from tests.support.waiting import wait_until

NEW, OTHER = "a new and longer password", "yet another long password"


@pytest.fixture
def regions(cluster: Cluster, tmp_path: Path) -> Iterator[TwoRegions]:
    with two_regions(cluster, tmp_path) as both:
        both.start(MUMBAI_1)
        both.start(SINGAPORE_1)
        yield both


def mumbai(regions: TwoRegions) -> Api:
    return regions.servers[MUMBAI_1].api()


def singapore(regions: TwoRegions) -> Api:
    return regions.servers[SINGAPORE_1].api()


def merge(regions: TwoRegions) -> None:
    regions.carry("in", "sg")
    regions.carry("sg", "in")


def refresh(api: Api, token: str, refresh_id: str) -> shapes.Refreshed:
    body = shapes.RefreshRequest(token, refresh_id, reason="unreachable")
    return api.send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)


def is_refused(book: BookApi) -> bool:
    return book.call("GET", paths.ENTRIES).status_code == 401


def change(book: BookApi, old: str, new: str) -> None:
    book.send("POST", paths.AUTH_PASSWORD, shapes.SessionsEnded, shapes.PasswordChange(old, new))


# --- stolen tokens ------------------------------------------------------------------------------------


def test_two_uses_of_one_generation_end_the_session_in_every_region(
    regions: TwoRegions,
) -> None:
    book = mumbai(regions).register()
    merge(regions)
    honest = refresh(mumbai(regions), book.signed_in.refresh_token, "the owner's")
    stolen = refresh(singapore(regions), book.signed_in.refresh_token, "the thief's")
    owner = mumbai(regions).with_token(honest.access_token)
    thief = singapore(regions).with_token(stolen.access_token)
    assert owner.call("GET", paths.ENTRIES).ok
    assert thief.call("GET", paths.ENTRIES).ok
    merge(regions)
    ended = "select reason from public.revocation"
    assert rows(regions.urls["in"], ended) == rows(regions.urls["sg"], ended) == [("reused",)]
    for api, token in ((mumbai(regions), honest), (singapore(regions), stolen)):
        assert (
            refusal(lambda api=api, token=token: refresh(api, token.refresh_token, "r2")).code
            == "unauthenticated"
        )  # type: ignore[misc]
    wait_until(
        lambda: owner.call("GET", paths.ENTRIES).status_code == 401
    )  # within seconds, not five minutes
    wait_until(lambda: thief.call("GET", paths.ENTRIES).status_code == 401)


def test_a_second_use_that_was_missed_is_detected_at_the_next_refresh(regions: TwoRegions) -> None:
    """Two that are noted at the very same moment do not see each other."""
    book = mumbai(regions).register()
    merge(regions)
    honest = refresh(mumbai(regions), book.signed_in.refresh_token, "the owner's")
    refresh(singapore(regions), book.signed_in.refresh_token, "the thief's")
    regions.carry("sg", "in")
    rows(regions.urls["in"], "delete from public.revocation")
    assert refusal(lambda: refresh(mumbai(regions), honest.refresh_token, "r2")).code == "unauthenticated"
    assert rows(regions.urls["in"], "select reason from public.revocation") == [("reused",)]


def test_the_same_refresh_in_two_regions_does_not_end_the_session(regions: TwoRegions) -> None:
    book = mumbai(regions).register()
    merge(regions)
    one = refresh(mumbai(regions), book.signed_in.refresh_token, "r1")
    refresh(singapore(regions), book.signed_in.refresh_token, "r1")
    merge(regions)
    merge(regions)
    refresh(mumbai(regions), one.refresh_token, "r2")
    assert rows(regions.urls["in"], "select count(*) from public.revocation") == [(0,)]


def test_a_session_ended_in_one_region_ends_in_the_other_within_seconds(
    regions: TwoRegions,
) -> None:
    name = a_name()
    book = mumbai(regions).register(name)
    merge(regions)
    other = singapore(regions).login(name)
    merge(regions)
    book.page()
    other.send(
        "DELETE",
        paths.AUTH_SESSION.format(family=_family(regions, book)),
        shapes.SessionsEnded,
    )
    regions.carry("sg", "in", "revocation")
    wait_until(lambda: is_refused(book))
    assert not is_refused(other)


def _family(regions: TwoRegions, book: BookApi) -> str:
    found = rows(
        regions.urls["in"],
        "select id from public.journal where book_id = %s and kind = 'session' and device = %s",
        *(book.book_id, book.device.id),
    )
    return str(found[0][0])


# --- passwords ----------------------------------------------------------------------------------------


def test_a_new_password_applies_in_every_region_and_ends_older_sessions(
    regions: TwoRegions,
) -> None:
    name = a_name()
    book = mumbai(regions).register(name)
    merge(regions)
    unheard_of = singapore(regions).login(name)  # Mumbai does not know this session when it ends the others
    change(book, PASSWORD, NEW)
    merge(regions)
    assert refusal(lambda: singapore(regions).login(name, PASSWORD)).code == "wrong_credentials"
    assert singapore(regions).login(name, NEW).book_id == book.book_id
    for api in (mumbai(regions), singapore(regions)):
        cut = refusal(lambda api=api: refresh(api, unheard_of.signed_in.refresh_token, "r1"))  # type: ignore[misc]
        assert cut.code == "unauthenticated"
    refresh(singapore(regions), book.signed_in.refresh_token, "r1")


def test_of_two_simultaneous_password_changes_the_later_applies_everywhere(regions: TwoRegions) -> None:
    name = a_name()
    one = mumbai(regions).register(name)
    merge(regions)
    two = singapore(regions).login(name)
    change(one, PASSWORD, NEW)
    change(two, PASSWORD, OTHER)
    merge(regions)
    for api in (mumbai(regions), singapore(regions)):
        assert refusal(lambda api=api: api.login(name, NEW)).code == "wrong_credentials"  # type: ignore[misc]
        assert api.login(name, OTHER).book_id == one.book_id


def test_an_operators_link_is_valid_once_in_every_region_and_its_password_wins(regions: TwoRegions) -> None:
    name = a_name()
    book = mumbai(regions).register(name)
    merge(regions)
    unheard_of = singapore(regions).login(name)
    (user, ver) = rows(
        regions.urls["in"],
        "select id, doc::jsonb ->> 'chosenVer' from public.journal where kind = 'credential'",
    )[0]
    services = regions.servers[MUMBAI_1].services
    of = ResetCode(UUID(book.book_id), user, int(ver))
    code = make_reset(services.trusted_keys, MUMBAI_1, of, int(time.time()))
    body = shapes.PasswordReset(code, NEW, a_device())
    singapore(regions).send("POST", paths.AUTH_RESET, shapes.SignedIn, body)  # not where it was made
    merge(regions)
    for api in (mumbai(regions), singapore(regions)):
        assert refusal(lambda api=api: api.login(name)).code == "wrong_credentials"  # type: ignore[misc]
        assert api.login(name, NEW).book_id == book.book_id
        for old in (book, unheard_of):
            token = old.signed_in.refresh_token
            cut = refusal(lambda api=api, token=token: refresh(api, token, "r1"))  # type: ignore[misc]
            assert cut.code == "unauthenticated"
        again = refusal(
            lambda api=api: api.send("POST", paths.AUTH_RESET, shapes.SignedIn, body)  # type: ignore[misc]
        )
        assert "used already" in again.fields["resetCode"]


# --- one name, claimed twice --------------------------------------------------------------------------


def test_of_two_users_with_one_name_the_first_keeps_it_and_the_other_is_renamed(
    regions: TwoRegions,
) -> None:
    name = f"Asha {a_name()}"
    first, second = mumbai(regions).register(name), singapore(regions).register(name, OTHER)
    saved = second.add()
    assert not first.signed_in.name_taken
    merge(regions)

    told = refresh(singapore(regions), second.signed_in.refresh_token, "r1")
    shown = told.user_name
    assert shown.startswith(f"{name}-2")
    assert refresh(mumbai(regions), first.signed_in.refresh_token, "r1").user_name == ""
    for api in (mumbai(regions), singapore(regions)):
        winner, loser = api.login(name.upper()), api.login(shown.upper(), OTHER)
        assert (winner.book_id, winner.signed_in.user_name) == (first.book_id, name)
        assert (loser.book_id, loser.signed_in.user_name) == (second.book_id, shown)
        assert (winner.signed_in.name_taken, loser.signed_in.name_taken) == (False, True)
        assert loser.get(saved.entry.id).entry == saved.entry
        for wrong in ((name, OTHER), (shown, PASSWORD), (f"{name}-2bbb", OTHER)):
            assert refusal(lambda api=api, wrong=wrong: api.login(*wrong)).code == "wrong_credentials"  # type: ignore[misc]
        assert refusal(lambda api=api: api.register(name)).code == "user_name_taken"  # type: ignore[misc]
        assert list(refusal(lambda api=api: api.register(shown)).fields) == ["userName"]  # type: ignore[misc]


def test_a_renamed_user_can_change_the_password_and_an_operator_can_reset_it(
    regions: TwoRegions,
) -> None:
    name = a_name()
    mumbai(regions).register(name)
    second = singapore(regions).register(name, OTHER)
    merge(regions)
    change(second, OTHER, NEW)
    shown = refresh(singapore(regions), second.signed_in.refresh_token, "r1").user_name
    assert singapore(regions).login(shown, NEW).book_id == second.book_id
    config = regions.regional.folder / "sg.toml"
    config.write_text(
        f'data = "{regions.regional.data(SINGAPORE_1)}"\ndatabase_url = "{regions.urls["sg"]}"\n',
        encoding="utf-8",
    )
    listed = command("user", "list", "--config", str(config))
    assert {line.split()[0] for line in listed.out.splitlines()[1:]} == {name, shown}


# --- invitations --------------------------------------------------------------------------------------


def test_an_invitation_used_in_two_regions_at_once_creates_two_accounts_and_no_third(
    regions: TwoRegions,
) -> None:
    """Both stand: nobody's book is taken away for a message that was late."""
    for server in regions.servers.values():
        server.services.auth.config = msgspec.structs.replace(
            server.services.auth.config, registration="invite"
        )
    code = make_invite(Signer(regions.regional.cluster.key), CLUSTER, uuid4(), 7, int(time.time()))

    def register(api: Api) -> str:
        body = shapes.Registration(a_name(), PASSWORD, a_device(), code)
        return api.send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body).book_id

    books = {register(mumbai(regions)), register(singapore(regions))}
    merge(regions)
    for code_, api in (("in", mumbai(regions)), ("sg", singapore(regions))):
        assert refusal(lambda api=api: register(api)).detail["reason"] == "spent"  # type: ignore[misc]
        spent = rows(regions.urls[code_], "select book_id::text from public.invite_use")
        assert {book_id for (book_id,) in spent} == books
