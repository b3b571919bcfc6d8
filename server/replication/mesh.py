"""The mesh as an operator changes it: a region joins, or leaves, while everybody writes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from server.errors import StartError
from server.replication import links, preflight, roles, status
from server.replication.fence import FENCE_SECONDS, wait_until_passed
from server.replication.first_copy import wait_until_copied
from server.replication.node import Node, RegionError, locked, reached
from server.replication.regions import Region
from server.replication.repair import exchange
from server.replication.status import End, MeshStatus
from server.replication.verify import Verification, verify

_LEAVE_SECONDS: Final = 60.0


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
                links.publish(node)
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
        """Take a region out: what only it or only one of the others has is given to the others first.

        A `dead` one is not asked. It keeps its own data. Returns how the regions that stay compare.
        """
        gone = self._named([code])
        with ExitStack() as open_ones:
            leaving = None if dead else open_ones.enter_context(reached(gone[0]))
            staying = self._reachable([r for r in self.regions if r.code != code], open_ones)
            nodes = staying if leaving is None else [leaving, *staying]
            with locked(*nodes):
                if leaving is None:
                    self._bury(code, staying)
                else:
                    self._see_off(leaving, staying)
                self._exchange(nodes, staying)
                return verify(staying)

    def verify(self, seconds: float = FENCE_SECONDS) -> Verification:
        """Compare what the members hold; waits at most `seconds` for what is under way."""
        with self.members() as nodes:
            return verify(nodes, seconds)

    def repair(self) -> Verification:
        """Make what is missing or lost of the links anew, and exchange what only some have; returns how the
        members compare afterwards."""
        with self.members() as nodes, locked(*nodes):
            self._check(nodes)
            for publisher, subscriber in permutations(nodes, 2):
                if not links.is_whole(publisher, subscriber):
                    links.make(publisher, subscriber)
                    self.say(f"{publisher.code} → {subscriber.code}: made anew")
                    wait_until_copied(publisher, subscriber, self.say)
            self._exchange(nodes, nodes)
            return verify(nodes)

    @contextmanager
    def members(self) -> Iterator[list[Node]]:
        """Connect to the regions that take part and can be reached; what has no link is none of them."""
        found = self.status()
        for code, why in found.away.items():
            self.say(f"{code} is left out: {why}")
        codes = [code for code in found.members if code not in found.away]
        if len(codes) < 2:
            raise StartError(f"There are no two regions to compare. {found.verdict}")
        with self._reached(self._named(codes)) as nodes:
            yield nodes

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
            yield [open_ones.enter_context(reached(region)) for region in regions]

    def _reachable(self, regions: Sequence[Region], open_ones: ExitStack) -> list[Node]:
        nodes = []
        for region in regions:
            try:
                nodes.append(open_ones.enter_context(reached(region)))
            except RegionError as error:
                self.say(f"{region.code} is left out, do this again once it is back: {error}")
        if not nodes:
            raise StartError("No other region can be reached.")
        return nodes

    def _see_off(self, leaving: Node, staying: Sequence[Node]) -> None:
        ways = [(leaving, node) for node in staying if links.is_whole(leaving, node)]
        if late := wait_until_passed(ways, _LEAVE_SECONDS):
            raise StartError(
                f"{leaving.code} → {late[0][1].code} is behind: let it catch up and try again, or use --dead."
            )
        self._part(leaving, staying)
        links.unpublish(leaving)

    def _bury(self, code: str, staying: Sequence[Node]) -> None:
        for node in staying:
            if links.drop_subscription(node, code):
                self.say(f"{code} → {node.code}: taken away")
            links.drop_slot(node, code)
        known = {node.value("system") for node in staying}
        for node in staying:
            links.drop_orphans(node, known)

    def _exchange(self, nodes: Sequence[Node], into: Sequence[Node]) -> None:
        found = verify(nodes)
        if found.differences:
            exchange(nodes, found.differences, into, self.say)

    def _check(self, nodes: Sequence[Node]) -> None:
        found = preflight.problems([preflight.look(node) for node in nodes], len(self.regions))
        if found:
            raise StartError(preflight.describe(found))

    def _link(self, joining: Node, peer: Node) -> None:
        """Join two both ways. Their first copies run at once, each into another region; two into one would
        get in one another's way, so the next peer waits. The way out first: a new region is empty still."""
        ways = ((joining, peer), (peer, joining))
        for publisher, subscriber in ways:
            made = links.make(publisher, subscriber)
            self.say(f"{publisher.code} → {subscriber.code}: {'made' if made else 'was there'}")
        for publisher, subscriber in ways:
            wait_until_copied(publisher, subscriber, self.say)

    def _part(self, leaving: Node, peers: Sequence[Node]) -> None:
        for publisher, subscriber in permutations([leaving, *peers], 2):
            if leaving in (publisher, subscriber) and links.drop(publisher, subscriber):
                self.say(f"{publisher.code} → {subscriber.code}: taken away")


def _end(region: Region) -> End:
    try:
        with reached(region) as node:
            return status.look(node)
    except RegionError as error:
        return End(region.code, away=str(error))
