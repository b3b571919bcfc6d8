"""Invitation codes."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.tokens import invites, tokens
from server.tokens.invites import InviteError, make_invite, read_invite
from server.tokens.tokens import Signer

SIGNER = Signer(Ed25519PrivateKey.generate())
NOW = 1_790_000_000
JTI = UUID(int=7)
CODE = make_invite(SIGNER, "in-mum-1", JTI, 7, NOW)


def test_a_code_reads_as_it_was_made_with_the_spaces_of_a_paste_too() -> None:
    assert read_invite(SIGNER, f"  {CODE}\n", NOW + 7 * 86_400 - 1).jti == JTI


@pytest.mark.parametrize(
    ("code", "now", "reason"),
    [
        ("", NOW, "missing"),
        (" \n", NOW, "missing"),
        ("anything", NOW, "wrong"),
        ("é.ü.ß", NOW, "wrong"),
        (CODE[:-4], NOW, "wrong"),
        (make_invite(Signer(Ed25519PrivateKey.generate()), "in-mum-1", JTI, 7, NOW), NOW, "wrong"),
        (SIGNER.sign({"aud": tokens.ACCESS_AUDIENCE, "exp": NOW + 9, "jti": str(JTI)}), NOW, "wrong"),
        (SIGNER.sign({"aud": invites.AUDIENCE, "exp": NOW + 9, "jti": "seven"}), NOW, "wrong"),
        (SIGNER.sign({"aud": invites.AUDIENCE, "exp": NOW + 9}), NOW, "wrong"),
        (CODE, NOW + 7 * 86_400, "expired"),
    ],
)
def test_a_code_that_opens_nothing_says_why(code: str, now: int, reason: str) -> None:
    with pytest.raises(InviteError) as caught:
        read_invite(SIGNER, code, now)
    assert caught.value.reason == reason
    assert caught.value.sentence.endswith(".")
