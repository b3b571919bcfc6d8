"""Finds out why a call failed, from the error that it raised.

The reasons are told by the types and numbers of the errors, never by their texts, which may be translated.
This is apart from `trouble`, because it imports the HTTP library, which takes long.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import Final

import requests
from urllib3.exceptions import LocationParseError, NameResolutionError, ProxyError

from app.remote.trouble import ConnectionTrouble

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
