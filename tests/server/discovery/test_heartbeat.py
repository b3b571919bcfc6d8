"""Which heartbeats are believed: each that is refused, and why."""

import base64
import hmac
import json
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster, signing
from server.contract.cluster import PublicKey
from server.contract.errors import ErrorCode
from server.discovery.heartbeat import HeartbeatReader
from server.errors import ApiError
from server.tokens.tokens import raw_key
from tests.support.discovery import Beater, beater, sign_beat
from tests.support.rosters import TestCluster, kid_of, new_cluster, public_key

NOW = 1_800_000_000.0
SENT = {"sent_at_ms": int(NOW * 1_000)}


@pytest.fixture(scope="module")
def made() -> TestCluster:
    made = new_cluster(("ap-south-1", "M"), ("ap-southeast-1", "S"))
    made.add_server("in-mum-1", "ap-south-1", "https://mum-1.example.org")
    made.add_server("in-mum-2", "ap-south-1", "https://mum-2.example.org")
    made.add_discovery("disc-1", "https://disc-1.example.org")
    return made


@pytest.fixture
def mumbai(made: TestCluster) -> Beater:
    return beater(made, "in-mum-1")


def _reason(made: TestCluster, text: str, now: float = NOW) -> str:
    with pytest.raises(ApiError) as refused:
        HeartbeatReader(made.roster).read(text, now)
    assert refused.value.code is ErrorCode.HEARTBEAT_REFUSED
    assert refused.value.message.endswith((".", "?"))
    return str(refused.value.detail["reason"])


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_servers_own_word_is_believed(made: TestCluster, mumbai: Beater) -> None:
    beat = mumbai.beat(**SENT)
    assert HeartbeatReader(made.roster).read(sign_beat(mumbai.key, beat), NOW) == beat


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.", "é.ü.ß", "..", "\x00", "a" * 10_000])
def test_what_is_unsigned_is_refused(made: TestCluster, text: str) -> None:
    assert _reason(made, text) in {"unsigned", "algorithm"}


def test_a_beat_without_its_signature_is_refused(made: TestCluster, mumbai: Beater) -> None:
    head, payload, _ = mumbai.signed(**SENT).split(".")
    assert _reason(made, f"{head}.{payload}.") == "signature"
    assert _reason(made, f"{head}.{payload}") == "unsigned"


def test_a_beat_that_was_altered_is_refused(made: TestCluster, mumbai: Beater) -> None:
    head, _, signature = mumbai.signed(**SENT).split(".")
    other = base64.urlsafe_b64encode(msgspec.json.encode(mumbai.beat(**SENT, state="left"))).rstrip(b"=")
    assert _reason(made, f"{head}.{other.decode()}.{signature}") == "signature"


def test_alg_none_is_refused(made: TestCluster, mumbai: Beater) -> None:
    head = {"alg": "none", "typ": cluster.HEARTBEAT, "kid": kid_of(mumbai.key)}
    payload = msgspec.to_builtins(mumbai.beat(**SENT))
    assert _reason(made, f"{_part(head)}.{_part(payload)}.") == "algorithm"


def test_hs256_with_the_public_key_is_refused(made: TestCluster, mumbai: Beater) -> None:
    head = {"alg": "HS256", "typ": cluster.HEARTBEAT, "kid": kid_of(mumbai.key)}
    covered = f"{_part(head)}.{_part(msgspec.to_builtins(mumbai.beat(**SENT)))}"
    made_up = hmac.digest(raw_key(mumbai.key.public_key()), covered.encode(), "sha256")
    signature = base64.urlsafe_b64encode(made_up).rstrip(b"=").decode()
    assert _reason(made, f"{covered}.{signature}") == "algorithm"


@pytest.mark.parametrize("kind", [cluster.ROSTER, cluster.DIRECTORY, "JWT", ""])
def test_another_kind_of_message_is_refused(made: TestCluster, mumbai: Beater, kind: str) -> None:
    text = signing.sign(mumbai.key, kid_of(mumbai.key), kind, mumbai.beat(**SENT))
    assert _reason(made, text) == "kind"


def test_a_foreign_key_is_refused(made: TestCluster, mumbai: Beater) -> None:
    assert _reason(made, sign_beat(Ed25519PrivateKey.generate(), mumbai.beat(**SENT))) == "unknown_key"


def test_a_foreign_key_under_a_known_kid_is_refused(made: TestCluster, mumbai: Beater) -> None:
    text = signing.sign(
        Ed25519PrivateKey.generate(), kid_of(mumbai.key), cluster.HEARTBEAT, mumbai.beat(**SENT)
    )
    assert _reason(made, text) == "signature"


def test_the_clusters_and_a_discovery_servers_key_are_no_servers(made: TestCluster, mumbai: Beater) -> None:
    for key in (made.key, made.keys["disc-1"]):
        assert _reason(made, sign_beat(key, mumbai.beat(**SENT))) == "unknown_key"


def test_an_unknown_server_is_refused(made: TestCluster, mumbai: Beater) -> None:
    stranger = mumbai.beat(**SENT, server_id="in-mum-9")
    assert _reason(made, sign_beat(Ed25519PrivateKey.generate(), stranger)) == "unknown_server"
    assert _reason(made, sign_beat(mumbai.key, stranger)) == "unknown_server"


def test_another_servers_key_is_refused(made: TestCluster, mumbai: Beater) -> None:
    assert _reason(made, sign_beat(made.keys["in-mum-2"], mumbai.beat(**SENT))) == "another_servers_key"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "https://evil.example.org"}, "url"),
        ({"url": "https://mum-2.example.org"}, "url"),
        ({"url": "https://mum-1.example.org/"}, "url"),
        ({"region": "ap-southeast-1"}, "region"),
        ({"region": ""}, "region"),
    ],
)
def test_a_server_is_where_the_roster_says(
    made: TestCluster, mumbai: Beater, change: dict[str, Any], reason: str
) -> None:
    assert _reason(made, mumbai.signed(**SENT, **change)) == reason


@pytest.mark.parametrize(
    ("off", "believed"), [(-60, True), (60, True), (-60.1, False), (60.1, False), (600, False)]
)
def test_a_clock_may_be_a_minute_off(made: TestCluster, mumbai: Beater, off: float, believed: bool) -> None:
    text = mumbai.signed(sent_at_ms=int((NOW + off) * 1_000))
    if believed:
        assert HeartbeatReader(made.roster).read(text, NOW)
    else:
        assert _reason(made, text) == "clock"


def test_a_payload_that_does_not_fit_is_refused(made: TestCluster, mumbai: Beater) -> None:
    headers = {"kid": kid_of(mumbai.key), "typ": cluster.HEARTBEAT}
    for payload in (b"{}", b"[]", b"\xff", b'{"serverId": 1}'):
        text = jwt.PyJWS().encode(payload, mumbai.key, algorithm="EdDSA", headers=headers)
        assert _reason(made, text) == "damaged"


def test_an_old_key_is_believed_until_the_roster_says_and_a_next_one_before_it_is_used(
    mumbai: Beater,
) -> None:
    made = new_cluster(("ap-south-1", "M"))
    made.add_server(mumbai.id, mumbai.region, mumbai.url, mumbai.key)
    later = Ed25519PrivateKey.generate()
    server = msgspec.structs.replace(
        made.roster.servers[0],
        keys=[public_key(mumbai.key, until=int(NOW) + 10), PublicKey(public_key(later).key, int(NOW) + 5)],
    )
    made.signed(servers=[server])
    reader = HeartbeatReader(made.roster)
    assert reader.read(mumbai.signed(**SENT), NOW + 9)
    assert reader.read(sign_beat(later, mumbai.beat(**SENT)), NOW)
    assert _reason(made, mumbai.signed(**SENT), NOW + 10) == "unknown_key"
