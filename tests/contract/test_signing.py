"""Signed messages: what is refused, whatever their headers say; and PyJWT reads and makes the same ones."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import signing
from server.contract.cluster_calls import (
    Closest,
)
from server.contract.signing import SignatureError
from server.tokens.tokens import raw_key

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
RAW = raw_key(KEY.public_key())
KID = signing.key_id(RAW)
PAYLOAD = Closest("in-mum-1", "ap-south-1", "2026-11-25T00:00:00Z")
TEXT = signing.sign(KEY, KID, "bahi-test", PAYLOAD)


def b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def made(header: dict[str, object], key: Ed25519PrivateKey = KEY) -> str:
    """Sign whatever the header says with EdDSA."""
    signed = f"{b64(header)}.{TEXT.split('.')[1]}"
    signature = base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def reason(text: str, kind: str = "bahi-test") -> str:
    with pytest.raises(SignatureError) as error:
        signing.read(text, {KID: RAW}, kind, Closest)
    return error.value.reason


def test_what_was_signed_is_read() -> None:
    assert signing.read(TEXT, {KID: RAW}, "bahi-test", Closest) == (KID, PAYLOAD)
    assert signing.peek(TEXT, "bahi-test", Closest) == PAYLOAD


def test_pyjwt_reads_it_too() -> None:
    assert json.loads(jwt.PyJWS().decode(TEXT, KEY.public_key(), algorithms=["EdDSA"])) == {
        "serverId": "in-mum-1",
        "region": "ap-south-1",
        "serverTime": "2026-11-25T00:00:00Z",
    }


def test_what_pyjwt_signs_is_read() -> None:
    body = base64.urlsafe_b64decode(TEXT.split(".")[1] + "==")
    text = jwt.PyJWS().encode(body, KEY, algorithm="EdDSA", headers={"kid": KID, "typ": "bahi-test"})
    assert signing.read(text, {KID: RAW}, "bahi-test", Closest)[1] == PAYLOAD


@pytest.mark.parametrize("change", range(len(TEXT)))
def test_no_character_can_be_changed(change: int) -> None:
    other = "A" if TEXT[change] != "A" else "B"
    text = TEXT[:change] + other + TEXT[change + 1 :]
    try:
        assert signing.read(text, {KID: RAW}, "bahi-test", Closest)[1] == PAYLOAD
        # the last character of a segment holds bits that stand for nothing
        assert change == len(TEXT) - 1
    except SignatureError:
        pass


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"alg": "none", "typ": "bahi-test", "kid": KID}, "algorithm"),
        ({"alg": "HS256", "typ": "bahi-test", "kid": KID}, "algorithm"),
        ({"typ": "bahi-test", "kid": KID}, "algorithm"),
        ({"alg": "EdDSA", "typ": "bahi-other", "kid": KID}, "kind"),
        ({"alg": "EdDSA", "kid": KID}, "kind"),
        ({"alg": "EdDSA", "typ": "bahi-test", "kid": "0" * 16}, "unknown_key"),
        ({"alg": "EdDSA", "typ": "bahi-test"}, "unknown_key"),
        ({"alg": "EdDSA", "typ": "bahi-test", "kid": KID, "crit": ["b64"], "b64": False}, "unsigned"),
        ({"alg": ["EdDSA"], "typ": "bahi-test", "kid": KID}, "unsigned"),
        ([], "unsigned"),
    ],
)
def test_a_header_that_says_something_else_is_refused(header: dict[str, object], expected: str) -> None:
    assert reason(made(header)) == expected


def test_another_key_under_the_same_name_is_refused() -> None:
    assert reason(made({"alg": "EdDSA", "typ": "bahi-test", "kid": KID}, OTHER)) == "signature"


def test_hs256_with_the_public_key_as_its_secret_is_refused() -> None:
    body = base64.urlsafe_b64decode(TEXT.split(".")[1] + "==")
    text = jwt.PyJWS().encode(
        body, base64.b64encode(RAW), algorithm="HS256", headers={"kid": KID, "typ": "bahi-test"}
    )
    assert reason(text) == "algorithm"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", TEXT + ".", "." + TEXT, TEXT + " ", TEXT + "\n",
     TEXT.rsplit(".", 1)[0], TEXT + "=", TEXT.replace(".", "..", 1), "é." + TEXT],
)  # fmt: skip
def test_what_is_no_signed_message_is_refused(text: str) -> None:
    assert reason(text) == "unsigned"


def test_a_message_without_its_signature_is_refused() -> None:
    assert reason(TEXT.rsplit(".", 1)[0] + ".") == "signature"


def test_a_payload_of_another_shape_is_refused() -> None:
    text = jwt.PyJWS().encode(b'{"x": 1}', KEY, algorithm="EdDSA", headers={"kid": KID, "typ": "bahi-test"})
    assert reason(text) == "damaged"
    with pytest.raises(SignatureError):
        signing.decode_key("short")
