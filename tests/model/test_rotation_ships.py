"""The model of the rotation equals the real one: the server's statements and the client's tokens behave as
the model does, for any sequence of events.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from app.remote.auth import SessionTokens, pin_of, read_pin
from app.store.vault import Vault
from server.auth import session_store
from server.contract.shapes import Primary, Refreshed, SignedIn
from server.tokens.tokens import Identity
from tests.model import rotation
from tests.model.rotation import Record, Region, Token, Use
from tests.support.examples import examples
from tests.support.fake_keyring import FakeKeyring

# --- the server -----------------------------------------------------------------------------------------


class Happening(NamedTuple):
    """At one region: a use, or a row of another region, or the end of a session."""

    what: Literal["uses", "row arrives", "revokes", "revocation arrives"]
    family: int
    use: Use


happenings = st.lists(
    st.builds(
        Happening,
        st.sampled_from(
            ["uses", "uses", "uses", "row arrives", "row arrives", "revokes", "revocation arrives"]
        ),
        st.integers(0, 1),
        st.builds(Use, st.integers(0, 3), st.sampled_from("ct")),
    ),
    max_size=10,
)


@dataclass(slots=True)
class RealRegion:
    """The two tables of a region's database, by the statements that ship; two sessions of one book."""

    connection: psycopg.AsyncConnection[Any]
    book_id: UUID = field(default_factory=uuid4)
    families: tuple[UUID, UUID] = field(default_factory=lambda: (uuid4(), uuid4()))

    async def does(self, happening: Happening) -> bool | None:
        """Let it happen; for a use, return whether it was said to be reused."""
        use, family = happening.use, self.families[happening.family]
        match happening.what:
            case "uses":
                return await session_store.use_generation(
                    self.connection,
                    self._identity(happening.family),
                    use.generation,
                    _hash(use),
                    "a",
                    time.time(),
                )
            case "row arrives":
                row = (self.book_id, family, use.generation, _hash(use), "far away")
                await self.connection.execute(
                    "insert into refresh_use (book_id, fam, gen, rid_hash, server) "
                    "values (%s, %s, %s, %s, %s)",
                    row,
                )
            case "revokes":
                await session_store.revoke(self.connection, self.book_id, family, "reused")
            case "revocation arrives":
                await self.connection.execute(
                    "insert into revocation (book_id, fam, reason) values (%s, %s, 'far')",
                    (self.book_id, family),
                )
        return None

    async def is_ended(self, family: int) -> bool:
        return bool((await session_store.session_state(self.connection, self._identity(family)))[0])

    def _identity(self, family: int) -> Identity:
        return Identity(uuid4(), self.book_id, uuid4(), self.families[family])


def _hash(use: Use) -> str:
    return hashlib.sha256(use.refresh_id.encode()).hexdigest()


def modelled(region: Region, happening: Happening) -> Region:
    """Return a region of the model after the same."""
    match happening.what:
        case "uses":
            return region._replace(uses=region.uses | {happening.use})
        case "row arrives":
            return rotation.merged(region, Region(uses=frozenset({happening.use})))
        case "revokes":
            return region._replace(revoked=True)
        case "revocation arrives":
            return rotation.merged(region, Region(revoked=True))


def test_a_regions_tables_say_what_the_model_says_whatever_comes_in_whatever_order(database_url: str) -> None:
    with asyncio.Runner() as runner:
        connection = runner.run(psycopg.AsyncConnection.connect(database_url, autocommit=True))

        @settings(max_examples=examples(200))
        @given(happenings)
        def check(happened: list[Happening]) -> None:
            runner.run(_compare(RealRegion(connection), happened))

        try:
            check()
        finally:
            runner.run(connection.close())


async def _compare(real: RealRegion, happened: list[Happening]) -> None:
    regions = [Region(), Region()]
    for happening in happened:
        region = regions[happening.family] = modelled(regions[happening.family], happening)
        expected = rotation.is_reused(region.uses) if happening.what == "uses" else None
        assert await real.does(happening) == expected
    for family, region in enumerate(regions):
        # A region ends a session where two uses meet; the model's does at the next refresh: none is granted.
        assert await real.is_ended(family) == (region.revoked or rotation.is_reused(region.uses))


# --- the client -----------------------------------------------------------------------------------------


class Step(NamedTuple):
    """What comes to a client: an answer or a refusal to an id that it drew some time ago, or a restart."""

    what: Literal["answer", "refusal", "restart"]
    ago: int
    token: Token


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["answer", "answer", "answer", "restart", "refusal"]),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.builds(
            Token, st.integers(0, 3), st.just("c"), st.sampled_from(rotation.SERVERS), st.integers(0, 2)
        ),
    ),
    max_size=12,
)


@dataclass(slots=True)
class RealClient:
    """The tokens that ship, over a keyring that outlasts the program; `drawn` are the records so far."""

    keyring: FakeKeyring = field(default_factory=FakeKeyring)
    tokens: SessionTokens = field(init=False)

    def __post_init__(self) -> None:
        self.restart()
        primary = Primary("A", "", "https://a.example.com")
        signed_in = SignedIn(
            "access", 300, _text(Token(0, "login", "A", 0)), primary, "Asha", "book", "M-1", 0, ""
        )
        self.tokens.adopt(signed_in, "https://a.example.com", 0.0, remember=True)

    def restart(self) -> None:
        self.tokens = SessionTokens(None, Vault(lambda: "me", lambda: self.keyring))  # type: ignore[arg-type]

    def record(self) -> Record | None:
        found = self.tokens.record()
        if found is None:
            return None
        generation, bought_by = found.refresh_token.split()
        assert found.pin == pin_of(*read_pin(found.pin))
        return Record(Token(int(generation), bought_by, *read_pin(found.pin)), found.refresh_id)


def _text(token: Token) -> str:
    return f"{token.generation} {token.bought_by}"


def _answer(token: Token) -> Refreshed:
    primary = Primary(token.server, "", f"https://{token.server}.example.com")
    return Refreshed("access", 300, _text(token), primary, False, "balance", token.epoch, "")


@settings(max_examples=examples(300))
@given(steps)
def test_the_clients_tokens_do_what_the_models_client_does(happened: list[Step]) -> None:
    client = RealClient()
    model = client.record()
    asked = [client.tokens.record()]
    for step in happened:
        record = asked[max(len(asked) - 1 - step.ago, 0)]
        assert record is not None
        if step.what == "restart":
            client.restart()
        elif step.what == "refusal":
            client.tokens.end(record)
            model = None if model and model.refresh_id == record.refresh_id else model
        else:
            took = client.tokens.take(_answer(step.token), record, 0.0)
            now = client.record()
            after = rotation.take(model, step.token, record.refresh_id, now.refresh_id if now else "")
            assert took == (after != model)
            model = after
        assert client.record() == model
        if model and model.refresh_id not in {each.refresh_id for each in asked if each}:
            asked.append(client.tokens.record())  # an id never comes twice
    assert len({each.refresh_id for each in asked if each}) == len(asked)
