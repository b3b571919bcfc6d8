"""Tells why no server answered: a stable code, and a sentence that says what happened and what to do.

The reasons are told by the types and numbers of the errors, never by their texts, which may be translated.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationParseError, NameResolutionError, ProxyError

from app.domain.dates import format_long_date

_MOST_CAUSES: Final = 20
_NOT_YET_VALID: Final = 9  # these are OpenSSL's numbers (X509_V_ERR_…)
_EXPIRED: Final = 10
_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21})
_OTHER_NAME: Final = frozenset({62, 63, 64})
_NOT_TLS: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "UNKNOWN_PROTOCOL",
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
    }
)
_UNREACHABLE: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, getattr(errno, "EHOSTDOWN", errno.EHOSTUNREACH)}
)
_TLS_RECORD: Final = ("\x15\x03", "\x16\x03")  # an alert, a handshake


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


def trouble_of(error: BaseException) -> ConnectionTrouble:
    """Return why a call failed."""
    found = [_reason(each) for each in _causes(error)]
    return next((each for each in found if each is not None), ConnectionTrouble.LOST)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps: `requests` and `urllib3` wrap each other's errors in "
    "several ways."""
    waiting, seen = [error], 0
    while waiting and seen < _MOST_CAUSES:
        each = waiting.pop(0)
        seen += 1
        yield each
        inner = [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
        waiting += [one for one in inner if isinstance(one, BaseException)]


def _reason(error: BaseException) -> ConnectionTrouble | None:
    match error:
        case ssl.SSLError():
            return _of_tls(error)
        case requests.exceptions.ProxyError() | ProxyError():
            return ConnectionTrouble.PROXY
        case NameResolutionError() | socket.gaierror():
            return ConnectionTrouble.UNKNOWN_HOST
        case requests.exceptions.InvalidURL() | LocationParseError():
            return ConnectionTrouble.BAD_ADDRESS
        case requests.Timeout() | TimeoutError():
            return ConnectionTrouble.NO_ANSWER
        case ConnectionRefusedError():
            return ConnectionTrouble.REFUSED
        case HTTPException():
            return _of_http(error)
        case OSError() if error.errno in _UNREACHABLE:
            return ConnectionTrouble.UNREACHABLE
    return None


def _of_http(error: HTTPException) -> ConnectionTrouble:
    if isinstance(error, RemoteDisconnected):
        return ConnectionTrouble.LOST
    is_tls = isinstance(error, BadStatusLine) and str(error.args[0]).startswith(_TLS_RECORD)
    return ConnectionTrouble.TLS_EXPECTED if is_tls else ConnectionTrouble.NOT_HTTP


def _of_tls(error: ssl.SSLError) -> ConnectionTrouble:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(getattr(error, "verify_code", 0))
    return ConnectionTrouble.NOT_TLS if error.reason in _NOT_TLS else ConnectionTrouble.HANDSHAKE


def _of_certificate(code: int) -> ConnectionTrouble:
    # On Windows and macOS the numbers are those of the operating system: none of these.
    if code in _UNKNOWN_AUTHORITY:
        return ConnectionTrouble.UNKNOWN_AUTHORITY
    if code in _OTHER_NAME:
        return ConnectionTrouble.OTHER_NAME
    dates = {_EXPIRED: ConnectionTrouble.EXPIRED, _NOT_YET_VALID: ConnectionTrouble.NOT_YET_VALID}
    return dates.get(code, ConnectionTrouble.CERTIFICATE)
