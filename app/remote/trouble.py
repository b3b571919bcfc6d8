"""Why no server answered: a stable code, and a sentence that says what happened and what to do."""

from datetime import date
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from app.domain.dates import format_long_date


class ConnectionTrouble(StrEnum):
    """Why no server answered. The values are stable: they are in the log and in `OfflineError.code`."""

    UNKNOWN_HOST = "unknown_host"
    REFUSED = "connection_refused"
    UNREACHABLE = "network_unreachable"
    NO_ANSWER = "no_answer"
    PROXY = "proxy"
    BAD_ADDRESS = "bad_address"
    LOST = "connection_lost"
    UNKNOWN_AUTHORITY = "certificate_unknown_authority"
    EXPIRED = "certificate_expired"
    NOT_YET_VALID = "certificate_not_yet_valid"
    OTHER_NAME = "certificate_other_name"
    CERTIFICATE = "certificate_refused"
    HANDSHAKE = "tls_handshake"
    NOT_TLS = "not_tls"
    TLS_EXPECTED = "tls_expected"
    NOT_HTTP = "not_http"
    NOT_BAHI = "not_bahi"
    GATEWAY = "gateway"
    REDIRECTED = "redirected"


_SENTENCES: Final = {
    ConnectionTrouble.UNKNOWN_HOST: (
        "There is no server with the name {host}, or this computer is not connected to the Internet. Check "
        "the spelling of the address and your connection."
    ),
    ConnectionTrouble.REFUSED: (
        "No server runs at {address}: the computer there refused the connection. Check the address and its "
        "port, or ask the person who runs the server whether it is running."
    ),
    ConnectionTrouble.UNREACHABLE: (
        "There is no way from this computer to {host}. Check your network or Internet connection, then try "
        "again."
    ),
    ConnectionTrouble.NO_ANSWER: (
        "{address} does not answer. Check the address and your Internet connection. If both are right, the "
        "server may be down: try again later."
    ),
    ConnectionTrouble.PROXY: (
        "The proxy of this computer did not connect to {address}. Check the proxy settings, or ask the "
        "person who looks after your network."
    ),
    ConnectionTrouble.BAD_ADDRESS: "{address} is not a server address. It looks like https://books.example.com.",
    ConnectionTrouble.LOST: (
        "{address} ended the connection without an answer. Check the address and its port, then try again."
    ),
    ConnectionTrouble.UNKNOWN_AUTHORITY: (
        "The identity of {host} could not be confirmed: this computer does not know the authority that "
        "signed its certificate. Nothing was sent. Check the address, or ask the person who runs the "
        "server for the certificate to install."
    ),
    ConnectionTrouble.EXPIRED: (
        "The certificate of {host} has expired. Nothing was sent. If the date of this computer is right "
        "({today}), ask the person who runs the server to renew the certificate."
    ),
    ConnectionTrouble.NOT_YET_VALID: (
        "The certificate of {host} is not valid yet. Nothing was sent. Check the date of this computer, "
        "which is {today}. If it is right, ask the person who runs the server."
    ),
    ConnectionTrouble.OTHER_NAME: (
        "The server at {host} has a certificate for another name. Nothing was sent. Check the spelling of "
        "the address. If it is right, ask the person who runs the server."
    ),
    ConnectionTrouble.CERTIFICATE: (
        "The certificate of {host} is not accepted by this computer. Nothing was sent. Check the address "
        "and the date of this computer ({today}), or ask the person who runs the server."
    ),
    ConnectionTrouble.HANDSHAKE: (
        "{address} and this computer could not agree on a secure connection. Nothing was sent. Check the "
        "address and its port, or ask the person who runs the server."
    ),
    ConnectionTrouble.NOT_TLS: (
        "{address} answers, but not over a secure connection (https). Nothing was sent. Its port is "
        "probably wrong: check the address."
    ),
    ConnectionTrouble.TLS_EXPECTED: (
        "{address} answers only over a secure connection. Type the address with https://."
    ),
    ConnectionTrouble.NOT_HTTP: (
        "{address} answers, but it is not a Bahi server. Check the address and its port."
    ),
    ConnectionTrouble.NOT_BAHI: (
        "There is a web server at {address}, but it is not a Bahi server. Check the address and its port."
    ),
    ConnectionTrouble.GATEWAY: (
        "{address} answers, but the Bahi server behind it does not. Try again in a minute. If that does "
        "not help, ask the person who runs the server."
    ),
    ConnectionTrouble.REDIRECTED: (
        "{address} sends this program to another address, which is not allowed. Nothing was sent there. "
        "Check the address, or ask the person who runs the server for the right one."
    ),
}


def sentence_of(trouble: ConnectionTrouble, url: str) -> str:
    """Return the sentence about the server at `url`."""
    host = urlsplit(url).hostname or url
    here = date.today()  # noqa: DTZ011 - the date that the user sees on this computer, right or wrong
    return _SENTENCES[trouble].format(host=host, address=url, today=format_long_date(here))
