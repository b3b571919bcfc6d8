"""An invite link is found in whatever was pasted, and a text of a stranger takes no time."""

import html
import quopri
import re
import time
from typing import Final
from urllib.parse import quote
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invite_text import MAX_TEXT, FoundLinks, find_code, find_links, starts_like_link
from server.contract.join import InviteLink, make_link
from server.tokens.invites import make_invite
from server.tokens.tokens import Signer

_SIGNER: Final = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def a_code(number: int) -> str:
    """Return a code as a server signs it."""
    return make_invite(_SIGNER, "cluster", UUID(int=number), 7, 1_800_000_000)


KEY: Final = "0123456789abcdef" * 4
WHOLE: Final = InviteLink("https://books.example.com", KEY, a_code(1))
TEXT: Final = make_link(WHOLE)


def wrapped(text: str, width: int, joint: str) -> str:
    return joint.join(text[at : at + width] for at in range(0, len(text), width))


def quoted_printable(text: str) -> str:
    return quopri.encodestring(text.encode()).decode("ascii")


@pytest.mark.parametrize(
    "pasted",
    [
        TEXT,
        f"  {TEXT}\n",
        f"Dear Asha,\n\nhere is your invitation: {TEXT}.\n\nRegards, Meera",
        f"Please use {TEXT}, and tell me.",
        f"<{TEXT}>",
        f"“{TEXT}”",
        f"'{TEXT}'",
        f'"{TEXT}"',
        f"({TEXT})",
        f"[{TEXT}]({TEXT})",
        f"[Your invitation]({TEXT}) is here",
        f"**{TEXT}**",
        f"`{TEXT}`",
        TEXT.replace("&", "&amp;"),
        TEXT.replace("&", "&amp;amp;"),
        TEXT.replace("&", "&#38;"),
        f'<p>Hello<br><a href="{html.escape(TEXT)}">bahi://join?addr…</a></p>',
        f"<td>{html.escape(TEXT).replace('&amp;', '&amp;<wbr>')}</td>",
        quoted_printable(f"Hello – your invitation:\n{TEXT}\nRegards"),
        quoted_printable(f'<a href="{html.escape(TEXT)}">Open</a>'),
        f"https://safe.example.org/?url={quote(TEXT, safe='')}&data=05%7C01&reserved=0",
        f"https://safe.example.org/?url={quote(quote(TEXT, safe=''), safe='')}",
        wrapped(TEXT, 72, "\r\n"),
        wrapped(TEXT, 60, "\n  ") + "\nRegards, Meera",
        "> " + wrapped(TEXT, 70, "\n> ") + "\n> Regards",
        ">> " + wrapped(TEXT, 70, "\n>> "),
        wrapped(TEXT, 3, "\n"),
        TEXT.replace("key=", "key=\n"),
        "\u200b".join(TEXT),
        f"\u2068{TEXT}\u2069\ufeff",
        f"Bahi://Join?{TEXT.partition('?')[2]}",
        TEXT.replace("bahi://join?", "bahi://join/?"),
        TEXT.replace(quote("https://books.example.com", safe=""), "https://books.example.com/"),
        TEXT.replace(KEY, KEY.upper()),
        f"{TEXT}&utm_source=mail",
        f"x{TEXT}" * 3,
    ],
)
def test_a_link_is_found_whatever_is_around_it(pasted: str) -> None:
    found = find_links(pasted)
    assert found.links == (WHOLE,)


_BEFORE: Final = st.text(st.characters(codec="utf-8", exclude_characters="bB=%&<"), max_size=40)
_AFTER: Final = st.sampled_from(
    ["", ".", ",", ">", ")", '"', " and more", "\nRegards, Asha", "\n\n-- \nMeera", "…", "।", "</a>", "]"]
)
_SETTING: Final = st.tuples(_BEFORE, st.sampled_from(["", " ", "\n", "<", "(", '"', "“", "[", ": "]), _AFTER)
_LINKS: Final = st.builds(
    InviteLink,
    st.sampled_from(["https://books.example.com", "https://b.example.in:8443", "http://127.0.0.1:8600"]),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.one_of(st.just(""), st.integers(1, 10**9).map(a_code)),
)
_WRAPPED: Final = st.tuples(
    st.integers(2, 90), st.sampled_from(["\n", "\r\n", "\n ", "\n> ", "\n>> ", " \n", "\n\n", "\u2028"])
)


@given(_LINKS, _SETTING, _WRAPPED)
def test_any_wrapping_of_a_link_is_found(
    link: InviteLink, setting: tuple[str, str, str], wrapping: tuple[int, str]
) -> None:
    before, opening, after = setting
    text = wrapped(make_link(link), *wrapping)
    assert find_links(f"{before}{opening}{text}{after}").links == (link,)


@given(_LINKS, _SETTING)
def test_any_link_in_a_mail_as_it_was_sent_is_found(link: InviteLink, setting: tuple[str, str, str]) -> None:
    before, opening, after = setting
    mail = quoted_printable(f"{before}\n{opening}{html.escape(make_link(link))}{after}")
    assert find_links(mail).links == (link,)


@given(st.text(st.characters(codec="utf-8"), max_size=300), st.integers(0, 300))
def test_no_text_makes_it_fail(text: str, at: int) -> None:
    assert find_links(text).links == ()
    find_links(text[:at] + TEXT[:150] + text[at:])
    find_code(text)


@pytest.mark.parametrize("cut", [30, 70, 119, 121, 125, 126, len(TEXT) - 100, len(TEXT) - 1])
def test_a_link_of_which_the_end_is_missing_is_damaged(cut: int) -> None:
    found = find_links(f"Here: {TEXT[:cut]} …")
    assert found.links == ()
    assert found.is_damaged


@pytest.mark.parametrize(
    "text",
    ["", "books.example.com", "Copy it from “bahi:” to its end", "bahi", "https://example.com/bahi?x=1"],
)
def test_what_is_no_link_is_not_damaged(text: str) -> None:
    assert find_links(text).links == ()
    assert not find_links(text).is_damaged


def test_different_links_are_told_apart() -> None:
    other = InviteLink(WHOLE.address, KEY, a_code(2))
    assert find_links(f"{TEXT}\n{make_link(other)}\n{TEXT}").links == (WHOLE, other)
    elsewhere = InviteLink("https://other.example.com", KEY, a_code(1))
    assert len(find_links(f"{TEXT} {make_link(elsewhere)}").links) == 2


def test_one_link_with_and_without_its_code_is_the_one_with_the_code() -> None:
    bare = make_link(InviteLink(WHOLE.address, KEY))
    assert find_links(f"{bare}\n{TEXT}").links == find_links(f"{TEXT}\n{bare}").links == (WHOLE,)


@pytest.mark.parametrize(
    "address", ["http://books.example.com", "https://user@books.example.com", "ftp://books.example.com", "x"]
)
def test_a_link_to_an_address_that_may_not_be_called_is_damaged(address: str) -> None:
    found = find_links(make_link(InviteLink(address, KEY)))
    assert found.links == ()
    assert found.is_damaged


def test_a_code_is_found_in_a_text() -> None:
    code = a_code(7)
    assert find_code(f"Your code: {wrapped(code, 50, chr(10))}\nRegards") == code
    assert find_code(" K7QD-\n93MX ") == "K7QD-93MX"


@pytest.mark.parametrize(
    "piece",
    ["bahi:", "bahi%", "bahi:/ ", "b a", "bahi://join?address=a", "bahi:= \n >", "\n", "bahi://join?a=<a "],
)
def test_a_hostile_text_is_read_in_a_moment(piece: str) -> None:
    text = f"é{piece * (2 * MAX_TEXT // len(piece))}"
    began = time.process_time()
    assert find_links(text).links == ()
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("size", [MAX_TEXT, 100 * MAX_TEXT])
@pytest.mark.parametrize("piece", ["eyJ", "eyJa.", "eyJ.eyJ.", "bahi:", "\n", "a\u0301", "\u202e", "é eyJ\n"])
def test_a_text_of_any_size_is_read_in_a_moment(piece: str, size: int) -> None:
    text = piece * (size // len(piece))

    def seconds() -> float:
        began = time.process_time()
        find_code(text)
        starts_like_link(text)
        find_links(text)
        return time.process_time() - began

    # The quickest counts, because other programs run at the same time; a quadratic search takes 30 s.
    assert any(seconds() < 0.4 for _ in range(3))


@given(st.lists(st.sampled_from(["eyJ", "a", "-", ".", " ", "x" * 86, "\n"]), max_size=30).map("".join))
def test_a_code_is_the_first_that_the_whole_text_has(text: str) -> None:
    joined = "".join(text.split())
    token = re.search(r"eyJ[\w-]+\.[\w-]+\.[\w-]{86}", joined)
    assert find_code(text) == (token.group() if token else joined)


@pytest.mark.parametrize(
    "address",
    [
        "https://books.example.com%40evil.example",
        "https://books.example.com%2fevil.example",
        "https://books.example.com\u2215x.evil.example\u202e",
        "https://books.example.com;evil.example",
        "https://[fe80::1%25eth0]",
    ],
)
def test_a_link_to_a_host_that_no_server_has_is_damaged(address: str) -> None:
    found = find_links(f"bahi://join?address={quote(address, safe='')}&key={KEY}")
    assert found.links == ()


def test_the_host_of_a_link_is_in_ascii() -> None:
    (link,) = find_links(make_link(InviteLink("https://b\u043e\u043eks.example:8443", KEY))).links
    assert link.address == "https://xn--bks-seda.example:8443"


def test_a_link_of_another_kind_is_found_as_that() -> None:
    reset = make_link(WHOLE, "reset")
    assert find_links(f"Your link: <{reset}>") == FoundLinks(resets=(WHOLE,))
    assert find_links(f"{reset}\n{TEXT}") == FoundLinks((WHOLE,), (WHOLE,))
    without_code = make_link(InviteLink(WHOLE.address, KEY), "reset")
    assert find_links(without_code) == FoundLinks(is_damaged=True)
