"""What a token must be: forged ones are refused by the verifier and by the server."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from server.contract import paths
from server.tokens import tokens
from server.tokens.tokens import Identity, RefreshToken, Signer, TokenError
from tests.support.api import BookApi
from tests.support.servers import RunningServer

KEY = Ed25519PrivateKey.generate()
SIGNER = Signer(KEY)
NOW = 1_800_000_000
WHO = Identity(uuid4(), uuid4(), uuid4(), uuid4())


def _segment(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _claims(**changes: object) -> dict[str, Any]:
    token = tokens.make_access(SIGNER, "test-1", WHO, 0, "jti", NOW)
    return {**jwt.decode(token, options={"verify_signature": False}), **changes}


def _unsigned(signer: Signer, claims: dict[str, Any]) -> str:
    return f"{_segment({'alg': 'none', 'kid': signer.kid})}.{_segment(claims)}."


def _signed_with_public_key(signer: Signer, claims: dict[str, Any], encoding: Encoding) -> str:
    form = PublicFormat.Raw if encoding is Encoding.Raw else PublicFormat.SubjectPublicKeyInfo
    key = signer.public.public_bytes(encoding, form)
    text = f"{_segment({'alg': 'HS256', 'kid': signer.kid})}.{_segment(claims)}"
    return f"{text}.{_segment(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def _by_foreign_key(signer: Signer, claims: dict[str, Any]) -> str:
    return Signer(Ed25519PrivateKey.generate()).sign(claims)


def _by_foreign_key_under_our_name(signer: Signer, claims: dict[str, Any]) -> str:
    foreign = Ed25519PrivateKey.generate()
    return jwt.encode(claims, foreign, algorithm="EdDSA", headers={"kid": signer.kid})


def _without_kid(signer: Signer, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, signer.key, algorithm="EdDSA")


def _other_audience(signer: Signer, claims: dict[str, Any]) -> str:
    return signer.sign({**claims, "aud": "somebody-else"})


def _no_audience(signer: Signer, claims: dict[str, Any]) -> str:
    return signer.sign({key: value for key, value in claims.items() if key != "aud"})


def _no_end(signer: Signer, claims: dict[str, Any]) -> str:
    return signer.sign({key: value for key, value in claims.items() if key != "exp"})


def _cut_signature(signer: Signer, claims: dict[str, Any]) -> str:
    return signer.sign(claims)[:-4]


def _changed_claims(signer: Signer, claims: dict[str, Any]) -> str:
    head, _, signature = signer.sign(claims).split(".")
    return f"{head}.{_segment({**claims, 'book': str(uuid4())})}.{signature}"


FORGERIES: list[Callable[[Signer, dict[str, Any]], str]] = [
    _unsigned,
    lambda signer, claims: _signed_with_public_key(signer, claims, Encoding.PEM),
    lambda signer, claims: _signed_with_public_key(signer, claims, Encoding.DER),
    lambda signer, claims: _signed_with_public_key(signer, claims, Encoding.Raw),
    _by_foreign_key,
    _by_foreign_key_under_our_name,
    _without_kid,
    _other_audience,
    _no_audience,
    _no_end,
    _cut_signature,
    _changed_claims,
    lambda signer, claims: f"{_segment(b'[' * 20_000)}.{_segment(claims)}.x",
    lambda signer, claims: f"{_segment({'alg': 'EdDSA', 'kid': 7})}.{_segment(claims)}.x",
    lambda signer, claims: f"{_segment([])}.{_segment(claims)}.x",
    lambda signer, claims: "a.b.c",
    lambda signer, claims: "पासवर्ड",
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_token_is_refused(forge: Callable[[Signer, dict[str, Any]], str]) -> None:
    with pytest.raises(TokenError):
        SIGNER.verify(forge(SIGNER, _claims()), tokens.ACCESS_AUDIENCE)


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_token_opens_no_book(
    server: RunningServer, book: BookApi, forge: Callable[[Signer, dict[str, Any]], str]
) -> None:
    signer = server.services.signer
    claims = signer.verify(book.signed_in.access_token, tokens.ACCESS_AUDIENCE)
    token = forge(signer, claims).encode()
    answer = server.api().call("GET", paths.ENTRIES, headers={"Authorization": b"Bearer " + token})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer  {}"])
def test_a_header_that_is_no_bearer_token_is_refused(
    server: RunningServer, book: BookApi, header: str
) -> None:
    value = header.format(book.signed_in.access_token)
    answer = server.api().call("GET", paths.ENTRIES, headers={"Authorization": value})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_every_call_on_a_book_needs_a_token(server: RunningServer) -> None:
    calls = [
        ("POST", paths.ENTRIES),
        ("GET", paths.ENTRIES),
        ("GET", paths.ENTRY.format(id=uuid4())),
        ("GET", paths.ENTRIES_SUMMARY),
        ("POST", paths.DOCUMENTS_PLAN),
        ("GET", paths.DOCUMENT_LINK.format(id=uuid4())),
        ("GET", paths.SUGGEST_CATEGORIES),
        ("GET", paths.SUGGEST_DESCRIPTIONS),
        ("GET", paths.EXPORT_CSV),
    ]
    for method, path in calls:
        assert server.api().call(method, path).status_code == HTTPStatus.UNAUTHORIZED, path


def test_an_access_token_says_who_calls_until_its_last_second() -> None:
    claims = _claims()
    assert tokens.read_access(claims, NOW + tokens.ACCESS_SECONDS - 1) == (WHO, "test-1")
    with pytest.raises(TokenError):
        tokens.read_access(claims, NOW + tokens.ACCESS_SECONDS)


@pytest.mark.parametrize("name", ["sub", "book", "dev", "sid"])
def test_a_token_that_names_nobody_is_refused(name: str) -> None:
    with pytest.raises(TokenError):
        tokens.read_access(_claims(**{name: "nobody"}), NOW)


@given(st.integers(0, 2**40), st.integers(0, 2**20), st.integers(NOW + 1, NOW + 10**7))
def test_a_refresh_token_reads_as_it_was_made(generation: int, epoch: int, absolute: int) -> None:
    made = RefreshToken(WHO, generation, epoch, "test-1", absolute)
    claims = SIGNER.verify(tokens.make_refresh(SIGNER, made, NOW), tokens.REFRESH_AUDIENCE)
    assert tokens.read_refresh(claims, NOW) == made
    assert claims["exp"] == min(NOW + tokens.REFRESH_IDLE_SECONDS, absolute)


def test_two_keys_never_share_a_name() -> None:
    assert len({Signer(Ed25519PrivateKey.generate()).kid for _ in range(50)}) == 50
