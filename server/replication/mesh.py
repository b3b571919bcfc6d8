"""The mesh as an operator changes it: a region joins, or leaves, while everybody writes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import permutations

from server.errors import StartError
from server.replication import inventory, names, preflight, roles, status, subscriptions
from server.replication.catch_up import CATCH_UP_SECONDS
from server.replication.first_copy import wait_until_copied
from server.replication.node import Node, RegionError, locked, reached
from server.replication.regions import Region
from server.replication.repair import exchange
from server.replication.status import MeshStatus, RegionEnd
from server.replication.verify import Verification, verify


def _silent(_sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The regions of the operator's file; `say` is told what happens. Everything raises StartError."""

    regions: Sequence[Region]
    say: Callable[[str], None] = _silent

    def join(self, code: str, against: Sequence[str] = (), *, anew: bool = False) -> None:
        """Join a region with all others, or with those named; done again, it completes what is missing.

        Returns once everything that was there before has been copied both ways. `anew` makes all its links
        new first: for a region that was restored from a backup, or away for longer than its slots were kept.
        """
        others = self._named(against) if against else [r for r in self.regions if r.code != code]
        with self._reached([*self._named([code]), *others]) as nodes, locked(*nodes):
            joining, *peers = nodes
            self._check(nodes)
            for node in nodes:
                subscriptions.publish(node)
                roles.prepare_publisher(node)
                roles.prepare_subscriber(node)
            if anew:
                self._part(joining, peers)
            for peer in peers:
                self._link(joining, peer)
            if anew:  # what one peer alone had from it is copied to it alone, and sent on by nobody
                self._exchange(nodes, nodes)

    def status(self) -> MeshStatus:
        """Ask every region how its links are; one that is away does not keep the others from answering."""
        return status.judge([_end(region) for region in self.regions])

    def leave(self, code: str, *, dead: bool = False) -> Verification:
        """Take a member out: what only it or only one of the others has is given to the others first.

        A `dead` one is not asked, and must not answer. It keeps its own data. Returns how the members that
        stay compare; where one of them was left out, this is to be done again.
        """
        gone, found = self._named([code])[0], self.status()
        if code not in found.members:
            raise StartError(
                f"{code} is not joined. If its leaving was cut short, join it again, then let it leave."
            )
        away = tuple(each for each in found.members if each in found.away and each != code)
        stay = [each for each in found.members if each not in (*away, code)]
        self._say_left_out(away, found)
        with ExitStack() as open_ones:
            leaving = self._leaving(gone, open_ones, dead=dead)
            staying = open_ones.enter_context(self._reached(self._named(stay)))
            if not staying:
                raise StartError(f"No other member can be reached. {found.verdict}")
            nodes = [leaving, *staying] if leaving else staying
            _check_addresses(nodes)
            with locked(*nodes):
                if leaving:
                    self._see_off(leaving, staying)
                else:
                    self._bury(code, staying)
                    self._exchange(staying, staying)
                self._say_bills(staying)
                return replace(verify(staying), left_out=away)

    def verify(self, seconds: float = CATCH_UP_SECONDS) -> Verification:
        """Compare what the members hold; waits at most `seconds` for what is under way."""
        with self.members() as (nodes, left_out):
            return replace(verify(nodes, seconds), left_out=left_out)

    def repair(self) -> Verification:
        """Make what is missing or lost of the links anew, and exchange what only some have; returns how the
        members compare afterwards."""
        with self.members() as (nodes, left_out), locked(*nodes):
            self._check(nodes)
            for publisher, subscriber in permutations(nodes, 2):
                if subscriptions.make(publisher, subscriber):
                    self.say(f"{publisher.code} → {subscriber.code}: made anew")
                    wait_until_copied(publisher, subscriber, self.say)
            self._exchange(nodes, nodes)
            return replace(verify(nodes), left_out=left_out)

    @contextmanager
    def members(self) -> Iterator[tuple[list[Node], tuple[str, ...]]]:
        """Connect to the regions that take part, and tell which of them cannot be reached; what has no link
        is none of them."""
        found = self.status()
        away = tuple(code for code in found.members if code in found.away)
        self._say_left_out(away, found)
        codes = [code for code in found.members if code not in away]
        if len(codes) < 2:
            raise StartError(f"There are no two regions to compare. {found.verdict}")
        with self._reached(self._named(codes)) as nodes:
            yield nodes, away

    # --- inside ----------------------------------------------------------------------------------

    def _named(self, codes: Sequence[str]) -> list[Region]:
        by_code = {region.code: region for region in self.regions}
        for code in codes:
            if code not in by_code:
                raise StartError(f"There is no region {code} in the file; it has {', '.join(by_code)}.")
        return [by_code[code] for code in codes]

    @contextmanager
    def _reached(self, regions: Sequence[Region]) -> Iterator[list[Node]]:
        with ExitStack() as open_ones:
            nodes = [open_ones.enter_context(reached(region)) for region in regions]
            _check_addresses(nodes)
            yield nodes

    def _say_left_out(self, codes: Sequence[str], found: MeshStatus) -> None:
        for code in codes:
            self.say(f"{code} is left out, do this again once it is back: {found.away[code]}")

    def _leaving(self, gone: Region, open_ones: ExitStack, *, dead: bool) -> Node | None:
        try:
            node = open_ones.enter_context(reached(gone))
        except RegionError as error:
            if dead:
                return None
            raise StartError(f"{error} If {gone.code} will not come back, add --dead.") from None
        if dead:
            raise StartError(
                f"{gone.code} answers, and may have what nobody else has: "
                "leave --dead out, or end its database."
            )
        return node

    def _see_off(self, leaving: Node, staying: Sequence[Node]) -> None:
        """Most is given while the links stand, and this can be done again; then what was written since."""
        nodes = [leaving, *staying]
        self._exchange(nodes, staying)
        self._part(leaving, staying)
        subscriptions.unpublish(leaving)
        try:
            self._exchange(nodes, staying)
        except StartError as error:
            raise StartError(
                f"{leaving.code} is parted, and may have what nobody else has: "
                f"join it again, then let it leave. {error}"
            ) from None

    def _say_bills(self, staying: Sequence[Node]) -> None:
        for node in staying:
            if (stock := inventory.read_inventory(node)).bills_to_copy:
                self.say(
                    f"{stock.what_is_to_copy} Servers that have them must run until "
                    "`bahi-server replication status` shows none."
                )

    def _bury(self, code: str, staying: Sequence[Node]) -> None:
        for node in staying:
            if subscriptions.drop_subscription(node, code):
                self.say(f"{code} → {node.code}: taken away")
            subscriptions.drop_slot(node, code)
        known = {node.value("system") for node in staying}
        for node in staying:
            subscriptions.drop_orphans(node, known)

    def _exchange(self, nodes: Sequence[Node], into: Sequence[Node]) -> None:
        self.say(f"comparing {', '.join(node.code for node in nodes)}")
        found = verify(nodes)
        if found.differences:
            exchange(nodes, found.differences, into, self.say)

    def _check(self, nodes: Sequence[Node]) -> None:
        found = preflight.problems([preflight.read_facts(node) for node in nodes], len(self.regions))
        if found:
            raise StartError(preflight.describe(found))

    def _link(self, joining: Node, peer: Node) -> None:
        """Join two both ways. Their first copies run at once, each into another region; two into one would
        get in one another's way, so the next peer waits. The way out first: a new region is empty still."""
        ways = ((joining, peer), (peer, joining))
        for publisher, subscriber in ways:
            made = subscriptions.make(publisher, subscriber)
            self.say(f"{publisher.code} → {subscriber.code}: {'made' if made else 'was there'}")
        for publisher, subscriber in ways:
            wait_until_copied(publisher, subscriber, self.say)

    def _part(self, leaving: Node, peers: Sequence[Node]) -> None:
        for publisher, subscriber in permutations([leaving, *peers], 2):
            if leaving in (publisher, subscriber) and subscriptions.drop(publisher, subscriber):
                self.say(f"{publisher.code} → {subscriber.code}: taken away")


def _end(region: Region) -> RegionEnd:
    try:
        with reached(region) as node:
            return status.read_status(node)
    except RegionError as error:
        return RegionEnd(region.code, away=str(error))


def _check_addresses(nodes: Sequence[Node]) -> None:
    """Refuse a file that gives one database to two regions, or one region's to another."""
    seen: dict[str, str] = {}
    for node in nodes:
        other = seen.setdefault(node.value("identity"), node.code)
        if other != node.code:
            raise StartError(f"{other} and {node.code} are one database: correct an address in the file.")
        if node.rows("subscription", {"subscription": names.subscription(node.code)}):
            raise StartError(
                f"The database of {node.code} is another region's (it receives from {node.code}): "
                "correct the addresses in the file."
            )
