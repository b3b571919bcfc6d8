"""Whose tokens are believed: the keys of the roster, each for its own server, and nothing else."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.cluster.startup import start_member
from server.cluster.trusted_keys import CLUSTER, TrustedKeys
from server.contract.cluster import PublicKey
from server.tokens import tokens
from server.tokens.invites import make_invite, read_invite
from server.tokens.keys import KEY, NEXT_KEY, load_or_make_key
from server.tokens.tokens import Identity, Signer, TokenError
from tests.support.regional import Regional, write_key
from tests.support.rosters import kid_of, public_key

WHO = Identity(uuid4(), uuid4(), uuid4(), uuid4())
NOW = int(time.time())
DAY = 86_400


@pytest.fixture
def regional(tmp_path: Path) -> Regional:
    return Regional(tmp_path, ("in-1", "in-2"))


def keyring(regional: Regional, clock: Callable[[], float] = time.time) -> TrustedKeys:
    return start_member(regional.config("in-1", ""), clock).trusted_keys


def access(regional: Regional, id_: str, issuer: str = "") -> str:
    signer = Signer(regional.cluster.keys[id_])
    return tokens.make_access(signer, issuer or id_, WHO, 0, "jti", NOW)


def claims_of(text: str) -> dict[str, Any]:
    body = text.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


def test_a_token_of_any_server_of_the_roster_is_accepted(regional: Regional) -> None:
    ring = keyring(regional)
    for id_ in ("in-1", "in-2"):
        assert ring.verify(access(regional, id_), tokens.ACCESS_AUDIENCE)["iss"] == id_


def test_no_server_can_issue_in_the_name_of_another(regional: Regional) -> None:
    with pytest.raises(TokenError, match="not signed by its issuer"):
        keyring(regional).verify(access(regional, "in-2", issuer="in-1"), tokens.ACCESS_AUDIENCE)


def test_a_discovery_server_can_issue_nothing(regional: Regional) -> None:
    for issuer in ("disc-1", "in-1"):
        with pytest.raises(TokenError):
            keyring(regional).verify(access(regional, "disc-1", issuer), tokens.ACCESS_AUDIENCE)


def _segment(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_algorithm_none_is_refused_with_another_servers_kid_too(regional: Regional) -> None:
    for id_ in ("in-1", "in-2"):
        kid = kid_of(regional.cluster.keys[id_])
        forged = f"{_segment({'alg': 'none', 'kid': kid})}.{access(regional, id_).split('.')[1]}."
        with pytest.raises(TokenError):
            keyring(regional).verify(forged, tokens.ACCESS_AUDIENCE)


def test_hs256_with_the_public_key_as_secret_is_refused(regional: Regional) -> None:
    key = regional.cluster.keys["in-2"]
    text = f"{_segment({'alg': 'HS256', 'kid': kid_of(key)})}.{access(regional, 'in-2').split('.')[1]}"
    mac = hmac.new(tokens.raw_key(key.public_key()), text.encode(), hashlib.sha256).digest()
    with pytest.raises(TokenError):
        keyring(regional).verify(f"{text}.{_segment(mac)}", tokens.ACCESS_AUDIENCE)


def test_a_foreign_kid_is_refused(regional: Regional) -> None:
    stranger = Signer(Ed25519PrivateKey.generate())
    with pytest.raises(TokenError, match="unknown key"):
        keyring(regional).verify(stranger.sign(claims_of(access(regional, "in-2"))), tokens.ACCESS_AUDIENCE)


def test_the_key_of_a_server_that_was_removed_is_refused_at_once(regional: Regional) -> None:
    ring, token = keyring(regional), access(regional, "in-2")
    ring.verify(token, tokens.ACCESS_AUDIENCE)
    roster = regional.cluster.roster
    ring.membership.offer_roster(regional.publish(servers=roster.servers[:1], version=roster.version + 1))
    with pytest.raises(TokenError, match="unknown key"):
        ring.verify(token, tokens.ACCESS_AUDIENCE)


def test_an_old_key_is_trusted_until_its_last_second(regional: Regional) -> None:
    _set_keys(regional, "in-2", [public_key(regional.cluster.keys["in-2"], until=NOW + 100)])
    token = access(regional, "in-2")
    keyring(regional, lambda: NOW + 99.0).verify(token, tokens.ACCESS_AUDIENCE)
    with pytest.raises(TokenError, match="unknown key"):
        keyring(regional, lambda: NOW + 100.0).verify(token, tokens.ACCESS_AUDIENCE)


def test_the_next_key_signs_from_its_day_on_and_takes_the_place_of_the_old_one(regional: Regional) -> None:
    now = float(NOW)
    old = regional.cluster.keys["in-1"]
    ring = keyring(regional, lambda: now)
    later = Signer(load_or_make_key(regional.data("in-1") / NEXT_KEY))
    keys = [public_key(old, until=NOW + 32 * DAY), PublicKey(_text(later), use_from=NOW + DAY)]
    ring.membership.offer_roster(_set_keys(regional, "in-1", keys))
    assert ring.signer.kid == kid_of(old)
    now += DAY
    assert ring.signer.kid == later.kid
    assert not (regional.data("in-1") / NEXT_KEY).exists()
    assert Signer(load_or_make_key(regional.data("in-1") / KEY)).kid == later.kid
    ring.verify(access(regional, "in-1"), tokens.ACCESS_AUDIENCE)  # the old key's tokens live on
    assert keyring(regional, lambda: now).signer.kid == later.kid


def test_a_link_without_an_issuer_must_be_this_servers_own(regional: Regional) -> None:
    ring, claims = keyring(regional), {"aud": "bahi-blob", "exp": NOW + 9}
    assert ring.verify(ring.sign(claims), "bahi-blob") == claims
    with pytest.raises(TokenError):
        ring.verify(Signer(regional.cluster.keys["in-2"]).sign(claims), "bahi-blob")


def test_an_invitation_of_the_operator_or_of_any_server_is_taken(regional: Regional) -> None:
    operator = Signer(regional.cluster.key)
    ring, jti = keyring(regional), UUID(int=7)
    for signer, issuer in ((operator, CLUSTER), (Signer(regional.cluster.keys["in-2"]), "in-2")):
        assert read_invite(ring, make_invite(signer, issuer, jti, 7, NOW), NOW).jti == jti


@pytest.mark.parametrize("issuer", [CLUSTER, "in-1"])
def test_a_token_signed_with_the_cluster_key_is_refused(regional: Regional, issuer: str) -> None:
    for audience in (tokens.ACCESS_AUDIENCE, tokens.REFRESH_AUDIENCE):
        token = Signer(regional.cluster.key).sign({"iss": issuer, "aud": audience, "exp": NOW + 9})
        with pytest.raises(TokenError, match="unknown key"):
            keyring(regional).verify(token, audience)


def _text(signer: Signer) -> str:
    return public_key(signer.key).key


def _set_keys(regional: Regional, id_: str, keys: list[PublicKey]) -> str:
    roster = regional.cluster.roster
    servers = [
        msgspec.structs.replace(each, keys=keys) if each.id == id_ else each for each in roster.servers
    ]
    return regional.publish(servers=servers, version=roster.version + 1)


def test_a_server_without_a_usable_new_key_keeps_the_last_one(regional: Regional) -> None:
    ring = keyring(regional)
    ring.membership.offer_roster(_set_keys(regional, "in-1", [public_key(Ed25519PrivateKey.generate())]))
    assert ring.signer.kid == kid_of(regional.cluster.keys["in-1"])
    with pytest.raises(TokenError):
        ring.verify(access(regional, "in-1"), tokens.ACCESS_AUDIENCE)


def test_a_damaged_next_key_does_not_stop_a_running_server(regional: Regional) -> None:
    ring = keyring(regional)
    write_key(regional.data("in-1") / NEXT_KEY, Ed25519PrivateKey.generate())
    (regional.data("in-1") / NEXT_KEY).write_text("nothing of a key")
    ring.membership.offer_roster(regional.publish(version=regional.cluster.roster.version + 1))
    assert ring.signer.kid == kid_of(regional.cluster.keys["in-1"])
