"""A small model of the rotation of refresh tokens: one client, two servers in regions that merge at any time,
lost and late messages, crashes, the loss of a region, and a thief.

The state of a region is what `server/auth/queries.sql` makes of `refresh_use` and `revocation`; that of the
client is what `app.remote.auth.SessionTokens` stores. `tests/model/test_rotation_ships.py` compares both
with the real ones. States are plain tuples, because hundreds of thousands of them are compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

SERVERS: Final = ("A", "B")
_MOST_DRAWN: Final = 3
Death = Literal["", "stops", "destroyed"]


class Token(NamedTuple):
    """A refresh token: of which generation, bought by which refreshId, and the lock."""

    generation: int
    bought_by: str
    server: str
    epoch: int


class Record(NamedTuple):
    """What the client keeps: a token, and the id by which it will be spent."""

    token: Token
    refresh_id: str


class Use(NamedTuple):
    """A row of `refresh_use`; which server wrote it matters to a weakened rule only."""

    generation: int
    refresh_id: str
    server: str = ""


class Region(NamedTuple):
    """One server and its region's rows."""

    state: Literal["up", "stopped", "destroyed"] = "up"
    uses: frozenset[Use] = frozenset()
    revoked: bool = False


class Message(NamedTuple):
    """In the air, or half done at a server. `asked`: a refresh on its way; `spent`: its use is noted, the
    answer not yet made; `told`: the answer on its way, `token` None for a refusal. `to` is a server, `by`
    who waits for the answer: nobody, once the program that asked is gone."""

    stage: Literal["asked", "spent", "told"]
    to: int
    token: Token | None
    refresh_id: str
    by: Literal["client", "thief", "nobody"] = "client"


class World(NamedTuple):
    """Everything. `memory` is what the running program goes by, `keyring` what a crash leaves of it; None is
    signed out. `thief` is what the thief holds. `epoch` is the highest that the client has seen. The last
    two serve weakened rules only: which windows of grace have closed, and how many ids were drawn."""

    memory: Record | None
    keyring: Record | None
    air: frozenset[Message]
    regions: tuple[Region, Region]
    deaths_left: int
    thief: Record | None
    stolen: bool
    epoch: int
    closed: int = 0
    drawn: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large the model is. Without `crashes` the client only loses answers, which by the rules as they
    are is the same to everybody else."""

    generations: int = 3
    in_flight: int = 2
    highest_epoch: int = 1
    crashes: bool = True
    death: Death = ""
    thief: Literal["", "token", "record"] = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol's rules, each of which a test weakens."""

    retry: Literal["same answer", "revoked", "within grace"] = "same answer"
    """What the same generation a second time is."""
    id_drawn: Literal["with the token", "at each sending", "at sending, kept after"] = "with the token"
    taken: Literal["first answer", "last answer", "last answer, id kept"] = "first answer"
    lower_epoch: Literal["ignored", "accepted"] = "ignored"
    reuse_seen: Literal["in any generation", "in this generation", "in own rows only"] = "in any generation"
    written: Literal["whole", "token first", "id first"] = "whole"


# --- the rules of a region ------------------------------------------------------------------------------


def is_reused(uses: Iterable[Use]) -> bool:
    """Return whether any generation was spent by two refreshIds."""
    spent = {(use.generation, use.refresh_id) for use in uses}
    return len(spent) != len({generation for generation, _ in spent})


def merged(here: Region, there: Region) -> Region:
    """Return `here` once the rows of `there` have arrived."""
    return here._replace(uses=here.uses | there.uses, revoked=here.revoked or there.revoked)


# --- the rule of a client -------------------------------------------------------------------------------


def take(record: Record | None, answer: Token, asked_id: str, next_id: str) -> Record | None:
    """Return the record after an answer to `asked_id`: only the first one changes it."""
    if record is None or record.refresh_id != asked_id:
        return record
    return Record(answer, next_id)


def start(bounds: Bounds, rules: Rules) -> World:
    """Return a client that has just signed in at A."""
    record = Record(Token(0, "login", "A", 0), "c0" if rules.id_drawn == "with the token" else "")
    deaths = 1 if bounds.death else 0
    return World(record, record, frozenset(), (Region(), Region()), deaths, None, False, 0)


# --- what can happen ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Model:
    """The moves of a world of `bounds` under `rules`."""

    bounds: Bounds = Bounds()
    rules: Rules = Rules()

    def moves(self, world: World) -> Iterator[tuple[str, World]]:
        """Yield everything that can happen next."""
        yield from self._client(world)
        for message in world.air:
            yield from self._message(world, message)
        yield from self._merges(world)
        if world.deaths_left:
            yield from self._deaths(world)
        if self.bounds.thief:
            yield from self._thief(world)
        if self.rules.retry == "within grace":
            yield from self._windows(world)

    # --- the client ---------------------------------------------------------------------------------

    def _client(self, world: World) -> Iterator[tuple[str, World]]:
        if world.memory is not None and world.memory.token.generation < self.bounds.generations:
            for to in (0, 1):
                yield from self._ask(world, world.memory, to)
        air = _orphaned(world.air)
        if self.bounds.crashes and (air != world.air or world.memory != world.keyring):
            yield "the client crashes and starts again", world._replace(memory=world.keyring, air=air)

    def _ask(self, world: World, record: Record, to: int) -> Iterator[tuple[str, World]]:
        token, refresh_id, drawn = record.token, record.refresh_id, world.drawn
        if self.rules.id_drawn == "at each sending" or not refresh_id:
            refresh_id, drawn = f"c{token.generation}-{drawn}", drawn + 1
        asked = Message("asked", to, token, refresh_id)
        in_flight = sum(each.by != "thief" for each in world.air)
        if drawn > _MOST_DRAWN or in_flight >= self.bounds.in_flight or world.regions[to].state != "up":
            return
        if asked in world.air:
            return
        memory = Record(token, refresh_id)
        sent = world._replace(air=world.air | {asked}, memory=memory, drawn=drawn)
        said = f"the client asks {SERVERS[to]} for generation {token.generation + 1}, id {refresh_id}"
        yield said, sent
        if self.rules.id_drawn == "at sending, kept after":
            yield f"{said}, and then keeps the id", sent._replace(keyring=memory)

    def _hears(self, world: World, message: Message) -> Iterator[tuple[str, World]]:
        landed = world._replace(air=world.air - {message})
        before, answer = world.memory, message.token
        is_first = before is not None and message.refresh_id == before.refresh_id
        if answer is None:
            said = f"the client hears that {message.refresh_id} is refused"
            yield said, landed._replace(memory=None, keyring=None) if is_first else landed
            return
        said = f"the client hears of generation {answer.generation}, lock {answer.server}/{answer.epoch}"
        after = self._taken(world, message, answer)
        if after is None or after == before:
            yield f"{said}, and ignores it", landed
            return
        fresh = landed._replace(memory=after, epoch=max(world.epoch, answer.epoch))
        yield said, fresh._replace(keyring=after)
        if self.rules.written != "whole" and before is not None:
            half = Record(answer, before.refresh_id)
            if self.rules.written == "id first":
                half = Record(before.token, after.refresh_id)
            crashed = landed._replace(memory=half, keyring=half, air=_orphaned(landed.air))
            yield f"{said}, and crashes with half of it written", crashed

    def _taken(self, world: World, message: Message, answer: Token) -> Record | None:
        record = world.memory
        next_id = f"c{answer.generation}" if self.rules.id_drawn == "with the token" else ""
        if self.rules.taken == "first answer" or record is None:
            return take(record, answer, message.refresh_id, next_id)
        if self.rules.lower_epoch == "ignored" and answer.epoch < world.epoch:
            return record
        if message.refresh_id == record.refresh_id:
            return Record(answer, next_id)
        if self.rules.taken == "last answer":
            return Record(answer, f"{next_id}-again")
        # What it knows already of a generation stays; only the token is the newer one.
        same = answer.generation == record.token.generation
        return Record(answer, record.refresh_id) if same else record

    # --- messages -----------------------------------------------------------------------------------

    def _message(self, world: World, message: Message) -> Iterator[tuple[str, World]]:
        lost = world._replace(air=world.air - {message})
        where = SERVERS[message.to]
        if message.stage == "told":
            yield f"the answer of {where} to {message.refresh_id} is lost", lost
            yield from self._hears(world, message)
        elif message.stage == "asked":
            yield f"the request {message.refresh_id} to {where} is lost", lost
            yield from self._spends(world, message)
        else:
            yield from self._answers(world, message)

    def _spends(self, world: World, message: Message) -> Iterator[tuple[str, World]]:
        region, token = world.regions[message.to], message.token
        assert token is not None
        where = SERVERS[message.to]
        own = where if self.rules.reuse_seen == "in own rows only" else ""
        use = Use(token.generation, message.refresh_id, own)
        if region.revoked:
            yield f"{where} refuses {message.refresh_id}", self._told(world, message, None, region)
            return
        if self._refused_at_once(world, region, use):
            ended = region._replace(revoked=True)
            yield (
                f"{where} ends the session for {message.refresh_id}",
                self._told(world, message, None, ended),
            )
            return
        noted = region._replace(uses=region.uses | {use})
        air = world.air - {message} | {message._replace(stage="spent")}
        yield f"{where} notes {message.refresh_id}", _with(world._replace(air=air), message.to, noted)

    def _refused_at_once(self, world: World, region: Region, use: Use) -> bool:
        if self.rules.retry == "revoked":
            return any(each.generation == use.generation for each in region.uses)
        known = any(each.generation == use.generation for each in region.uses)
        return self.rules.retry == "within grace" and known and use.generation < world.closed

    def _answers(self, world: World, message: Message) -> Iterator[tuple[str, World]]:
        region, token, where = world.regions[message.to], message.token, SERVERS[message.to]
        assert token is not None
        if self._sees_reuse(region, token, where):
            ended = region._replace(revoked=True)
            yield f"{where} sees {message.refresh_id} reused", self._told(world, message, None, ended)
            return
        following = Token(token.generation + 1, message.refresh_id, token.server, token.epoch)
        yield f"{where} answers {message.refresh_id}", self._told(world, message, following, region)
        if token.epoch < self.bounds.highest_epoch and message.by == "client":
            other = "B" if token.server == "A" else "A"
            moved = following._replace(server=other, epoch=token.epoch + 1)
            said = f"{where} answers {message.refresh_id} and moves the lock to {other}"
            yield said, self._told(world, message, moved, region)

    def _sees_reuse(self, region: Region, token: Token, where: str) -> bool:
        if self.rules.retry != "same answer":
            return False
        if self.rules.reuse_seen == "in this generation":
            return is_reused(use for use in region.uses if use.generation == token.generation)
        if self.rules.reuse_seen == "in own rows only":
            return is_reused(use for use in region.uses if use.server == where)
        return is_reused(region.uses)

    def grants(self, world: World, record: Record, at: int) -> bool:
        """Return whether a server would give the next generation of `record` now."""
        asked = Message("asked", at, record.token, record.refresh_id)
        (_, after), *_ = self._spends(world, asked)
        spent = asked._replace(stage="spent") in after.air
        return spent and not self._sees_reuse(after.regions[at], record.token, SERVERS[at])

    def _told(self, world: World, message: Message, token: Token | None, region: Region) -> World:
        air = world.air - {message}
        if message.by == "thief":
            # The lock is of no use to him: he asks whom he likes.
            plain = token and Record(token._replace(server="", epoch=0), f"t{token.generation}")
            held = plain or world.thief
            return _with(world._replace(air=air, thief=held), message.to, region)
        if message.by == "nobody":
            return _with(world._replace(air=air), message.to, region)
        told = message._replace(stage="told", token=token)
        return _with(world._replace(air=air | {told}), message.to, region)

    # --- regions ------------------------------------------------------------------------------------

    def _merges(self, world: World) -> Iterator[tuple[str, World]]:
        if any(region.state == "destroyed" for region in world.regions):
            return
        for to in (0, 1):
            here, there = world.regions[to], world.regions[1 - to]
            if (after := merged(here, there)) != here:
                yield f"the rows of {SERVERS[1 - to]} arrive at {SERVERS[to]}", _with(world, to, after)

    def _deaths(self, world: World) -> Iterator[tuple[str, World]]:
        destroyed = self.bounds.death == "destroyed"
        for at in (0, 1):
            air = frozenset(each for each in world.air if each.to != at or each.stage == "told")
            region = Region("destroyed") if destroyed else world.regions[at]._replace(state="stopped")
            said = f"the region of {SERVERS[at]} is destroyed" if destroyed else f"{SERVERS[at]} dies"
            yield said, _with(world._replace(air=air, deaths_left=0), at, region)

    def _windows(self, world: World) -> Iterator[tuple[str, World]]:
        newest = max((use.generation for region in world.regions for use in region.uses), default=-1)
        if world.closed <= newest:
            closed = world._replace(closed=world.closed + 1)
            yield f"the window of generation {world.closed} closes", closed

    # --- the thief ----------------------------------------------------------------------------------

    def _thief(self, world: World) -> Iterator[tuple[str, World]]:
        if not world.stolen and world.memory is not None:
            token, refresh_id = world.memory
            his = refresh_id if self.bounds.thief == "record" else f"t{token.generation}"
            held = Record(token._replace(server="", epoch=0), his)
            yield f"a thief copies generation {token.generation}", world._replace(thief=held, stolen=True)
        held = world.thief
        if held is None or held.token.generation >= self.bounds.generations:
            return
        if any(each.by == "thief" for each in world.air):
            return
        for to in (0, 1):
            if world.regions[to].state == "up":
                asked = Message("asked", to, held.token, held.refresh_id, by="thief")
                for said, after in self._spends(world, asked):
                    yield f"the thief comes: {said}", after


def _with(world: World, at: int, region: Region) -> World:
    other = world.regions[1 - at]
    return world._replace(regions=(region, other) if at == 0 else (other, region))


def _orphaned(air: frozenset[Message]) -> frozenset[Message]:
    """Return what is in the air once the client's program is gone: its answers go nowhere."""
    kept = {each for each in air if each.by != "client"}
    asked = {each._replace(by="nobody") for each in air if each.by == "client" and each.stage != "told"}
    return frozenset(kept | asked)
