"""Passwords."""

import asyncio

import pytest
from argon2 import PasswordHasher

from server.auth.passwords import Passwords


def _run(password: str, stored: str | None) -> bool:
    async def verify() -> bool:
        return await Passwords().verify(stored, password)

    return asyncio.run(verify())


def _hash(password: str) -> str:
    async def make() -> str:
        return await Passwords().hash(password)

    return asyncio.run(make())


def test_a_hash_is_argon2id_with_at_least_the_given_parameters() -> None:
    assert _hash("a password").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_matches_its_own_hash_only() -> None:
    stored = _hash("a password")
    assert _run("a password", stored)
    assert not _run("A password", stored)
    assert not _run("", stored)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=1"])
def test_no_password_matches_an_invalid_hash(stored: str | None) -> None:
    assert not _run("", stored)
    assert not _run("nobody's password", stored)


def test_two_hashes_of_one_password_differ() -> None:
    assert _hash("a password") != _hash("a password")


def test_weaker_parameters_are_detected() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("a password")
    assert Passwords().needs_rehash(weak)
    assert not Passwords().needs_rehash(_hash("a password"))
