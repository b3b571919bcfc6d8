"""Addresses that are typed, and URLs that a server sends: whatever they are, an answer and no exception."""

import pytest

from app.errors import InputError
from app.remote.endpoint import Endpoint, parse_address

ODD = [
    "[",
    "[::1",
    "https://[::1",
    "https://[zz]",
    "https://\u2100.com",
    "books.\uff0fexample.com",
]


@pytest.mark.parametrize(
    "text", [*ODD, "https://a:99999", "https://a:port", "https://exa mple.com", "ftp://a"]
)
def test_what_is_not_an_address_is_told_at_the_address(text: str) -> None:
    with pytest.raises(InputError, match="not a server address") as caught:
        parse_address(text)
    assert caught.value.fields["address"] == caught.value.message


@pytest.mark.parametrize(
    "url", [*ODD, "//", "https://", "https://books.example.com:99999/x", "https://books.example.com:x"]
)
def test_a_url_of_a_server_that_is_none_is_not_its_own(url: str) -> None:
    assert not Endpoint("https://books.example.com").owns(url)


def test_the_same_origin_is_its_own() -> None:
    at = Endpoint("https://books.example.com")
    assert at.owns("https://books.example.com:443/v1/blobs/x")
    assert not at.owns("http://books.example.com/v1/blobs/x")


@pytest.mark.parametrize(
    "typed",
    [
        "https://books.example.com%40evil.example",
        "https://books.example.com%2fevil.example",
        "https://\u202emoc.live",
        "\u2067moc.doog\u2069.evil.example",
        "https://books.example.com\u2066.evil.example\u2069",
        "https://books.example.com;evil.example",
        "https://books.example.com\u200e.evil.example",
        "https://[fe80::1%25eth0]",
    ],
)
def test_a_host_that_no_server_has_is_refused(typed: str) -> None:
    with pytest.raises(InputError) as error:
        parse_address(typed)
    assert error.value.fields["address"]


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("b\u043e\u043eks.example", "https://xn--bks-seda.example"),
        ("https://evil\u3002example:8443/", "https://evil.example:8443"),
        ("\u2068https://books.example.com\u2069", "https://books.example.com"),
        ("https://my_server.local", "https://my_server.local"),
        ("http://[::1]:8600", "http://[::1]:8600"),
    ],
)
def test_an_address_is_that_which_is_called(typed: str, called: str) -> None:
    assert parse_address(typed) == called
