"""The operator's commands on the mesh. While they run, all regions accept writes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import permutations

from server.errors import StartError
from server.replication import inventory, names, preflight, roles, status, subscriptions
from server.replication.catch_up import CATCH_UP_SECONDS
from server.replication.first_copy import wait_until_copied
from server.replication.node import Node, RegionError, connect, locked
from server.replication.regions import Region
from server.replication.repair import exchange
from server.replication.status import MeshStatus, RegionEnd
from server.replication.verify import Verification, verify


def _report_nothing(_sentence: str) -> None:
    """Ignore a progress message."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """The regions of the operator's file. `say` gets progress messages. All methods raise StartError."""

    regions: Sequence[Region]
    say: Callable[[str], None] = _report_nothing

    def join(self, code: str, against: Sequence[str] = (), *, anew: bool = False) -> None:
        """Join a region with all others, or only with the regions `against`.

        Returns when all existing rows have been copied in both directions. An interrupted join is completed
        by another one. `anew` recreates all subscriptions of the region first, for a region that was restored
        from a backup, or was away for longer than its slots were kept.
        """
        others = self._named(against) if against else [r for r in self.regions if r.code != code]
        with self._connected([*self._named([code]), *others]) as nodes, locked(*nodes):
            joining, *peers = nodes
            self._check(nodes)
            for node in nodes:
                subscriptions.publish(node)
                roles.prepare_publisher(node)
                roles.prepare_subscriber(node)
            if anew:
                self._disconnect(joining, peers)
            for peer in peers:
                self._subscribe_both_ways(joining, peer)
            # A row that only one peer had received from this region comes back to this region, but no
            # further: its subscriptions to the other peers do not pass on what it received itself.
            if anew:
                self._exchange(nodes, nodes)

    def status(self) -> MeshStatus:
        """Return the status of all subscriptions. A region that cannot be reached is reported as such."""
        return status.judge([_read_region(region) for region in self.regions])

    def leave(self, code: str, *, dead: bool = False) -> Verification:
        """Remove a member, after the rows that only some regions have were given to the members that stay.

        A `dead` region must not be reachable, and gives nothing. The removed region keeps its own data.
        Returns how the remaining members compare. If some could not be reached, run it again when they can.
        """
        gone, found = self._named([code])[0], self.status()
        if code not in found.members:
            raise StartError(
                f"{code} is not a member of the mesh. "
                "If its leaving was interrupted, join it again and then let it leave."
            )
        away = tuple(each for each in found.members if each in found.away and each != code)
        remaining_codes = [each for each in found.members if each not in (*away, code)]
        self._report_left_out(away, found)
        with ExitStack() as stack:
            leaver = self._check_leave(gone, stack, dead=dead)
            remaining = stack.enter_context(self._connected(self._named(remaining_codes)))
            if not remaining:
                raise StartError(f"No other member can be reached. {found.verdict}")
            nodes = [leaver, *remaining] if leaver else remaining
            _check_addresses(nodes)
            with locked(*nodes):
                if leaver:
                    self._exchange_and_disconnect(leaver, remaining)
                else:
                    self._forget_dead(code, remaining)
                    self._exchange(remaining, remaining)
                self._report_bills(remaining)
                return replace(verify(remaining), left_out=away)

    def verify(self, seconds: float = CATCH_UP_SECONDS) -> Verification:
        """Compare the rows of the members; wait at most `seconds` for rows in transit."""
        with self.members() as (nodes, left_out):
            return replace(verify(nodes, seconds), left_out=left_out)

    def repair(self) -> Verification:
        """Recreate missing or broken subscriptions, and exchange the rows that only some members have.

        Returns how the members compare afterwards.
        """
        with self.members() as (nodes, left_out), locked(*nodes):
            self._check(nodes)
            for publisher, subscriber in permutations(nodes, 2):
                if subscriptions.ensure(publisher, subscriber):
                    self.say(f"{publisher.code} → {subscriber.code}: recreated")
                    wait_until_copied(publisher, subscriber, self.say)
            self._exchange(nodes, nodes)
            return replace(verify(nodes), left_out=left_out)

    @contextmanager
    def members(self) -> Iterator[tuple[list[Node], tuple[str, ...]]]:
        """Connect to the members of the mesh; yield them, and the codes of those that cannot be reached.

        A region without a subscription is not a member.
        """
        found = self.status()
        away = tuple(code for code in found.members if code in found.away)
        self._report_left_out(away, found)
        codes = [code for code in found.members if code not in away]
        if len(codes) < 2:
            raise StartError(f"Fewer than two regions can be compared. {found.verdict}")
        with self._connected(self._named(codes)) as nodes:
            yield nodes, away

    # --- inside ----------------------------------------------------------------------------------

    def _named(self, codes: Sequence[str]) -> list[Region]:
        by_code = {region.code: region for region in self.regions}
        for code in codes:
            if code not in by_code:
                raise StartError(f"There is no region {code} in the file, only {', '.join(by_code)}.")
        return [by_code[code] for code in codes]

    @contextmanager
    def _connected(self, regions: Sequence[Region]) -> Iterator[list[Node]]:
        with ExitStack() as stack:
            nodes = [stack.enter_context(connect(region)) for region in regions]
            _check_addresses(nodes)
            yield nodes

    def _report_left_out(self, codes: Sequence[str], found: MeshStatus) -> None:
        for code in codes:
            self.say(f"{code} is left out; run this command again when it is back: {found.away[code]}")

    def _check_leave(self, gone: Region, stack: ExitStack, *, dead: bool) -> Node | None:
        try:
            node = stack.enter_context(connect(gone))
        except RegionError as error:
            if dead:
                return None
            raise StartError(f"{error} If {gone.code} will not come back, add --dead.") from None
        if dead:
            raise StartError(
                f"{gone.code} answers, and may have rows that no other region has: "
                "omit --dead, or stop its database."
            )
        return node

    def _exchange_and_disconnect(self, leaver: Node, remaining: Sequence[Node]) -> None:
        """Give the rows of a leaving region to those that stay, and remove its subscriptions."""
        # Most rows are exchanged while the subscriptions exist, so that this can be interrupted and repeated.
        # The second exchange is only about what was written meanwhile.
        nodes = [leaver, *remaining]
        self._exchange(nodes, remaining)
        self._disconnect(leaver, remaining)
        subscriptions.unpublish(leaver)
        try:
            self._exchange(nodes, remaining)
        except StartError as error:
            raise StartError(
                f"{leaver.code} is disconnected, but may have rows that no other region has: "
                f"join it again and then let it leave. {error}"
            ) from None

    def _report_bills(self, remaining: Sequence[Node]) -> None:
        for node in remaining:
            if (found := inventory.read_inventory(node)).bills_to_copy:
                self.say(
                    f"{found.to_copy_sentence} Keep the servers that have them running until "
                    "`bahi-server replication status` shows no more."
                )

    def _forget_dead(self, code: str, remaining: Sequence[Node]) -> None:
        """Remove everything that belongs to the dead region `code` from those that stay."""
        for node in remaining:
            if subscriptions.drop_subscription(node, code):
                self.say(f"{code} → {node.code}: removed")
            subscriptions.drop_slot(node, code)
        known = {node.value("system") for node in remaining}
        for node in remaining:
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

    def _subscribe_both_ways(self, joining: Node, peer: Node) -> None:
        """Subscribe two regions to each other, and wait for both first copies."""
        # The two copies run at the same time, because each writes to another region. Two copies into one
        # region would block each other, so the next peer waits. The copy out of the joining region starts
        # first: a new region is still empty then.
        pairs = ((joining, peer), (peer, joining))
        for publisher, subscriber in pairs:
            created = subscriptions.ensure(publisher, subscriber)
            self.say(f"{publisher.code} → {subscriber.code}: {'created' if created else 'exists already'}")
        for publisher, subscriber in pairs:
            wait_until_copied(publisher, subscriber, self.say)

    def _disconnect(self, leaver: Node, peers: Sequence[Node]) -> None:
        for publisher, subscriber in permutations([leaver, *peers], 2):
            if leaver in (publisher, subscriber) and subscriptions.drop(publisher, subscriber):
                self.say(f"{publisher.code} → {subscriber.code}: removed")


def _read_region(region: Region) -> RegionEnd:
    try:
        with connect(region) as node:
            return status.read_status(node)
    except RegionError as error:
        return RegionEnd(region.code, away=str(error))


def _check_addresses(nodes: Sequence[Node]) -> None:
    """Refuse a file that has the same database for two regions, or has exchanged two databases.

    Raises StartError.
    """
    seen: dict[str, str] = {}
    for node in nodes:
        other = seen.setdefault(node.value("identity"), node.code)
        if other != node.code:
            raise StartError(
                f"{other} and {node.code} have the same database: correct the addresses in the file."
            )
        # A region never receives from itself, so a database that does belongs to another region.
        if node.rows("subscription", {"subscription": names.subscription(node.code)}):
            raise StartError(
                f"The database of {node.code} is another region's (it receives from {node.code}): "
                "correct the addresses in the file."
            )
