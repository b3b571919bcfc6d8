"""The session runner against a network of the test's own: who is asked, what calls get, and nothing hangs."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Machine
from app.errors import AppError, OfflineError, ServerError, SignInError
from app.remote.auth import SessionTokens
from app.remote.call_monitor import CallMonitor, CallOutcome, OutcomeKind
from app.remote.cluster import Cluster
from app.remote.endpoint import Endpoint
from app.remote.health_checks import HealthChecks
from app.remote.server_clock import ServerClock
from app.remote.server_session import ClusterSession, LocalSession
from app.remote.session_runner import LeasedToken, SessionRunner
from app.store.vault import Vault
from server.contract import cluster as wire
from server.contract import paths, signing
from server.contract.cluster import Directory, DirectoryServer, Liveness
from server.contract.cluster_calls import (
    Closest,
    HeartbeatTaken,
    Servers,
    ServerStateAnswer,
    SuspicionTaken,
)
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Health,
    Primary,
    Refreshed,
    RefreshRequest,
    SignedIn,
)
from tests.app.remote.test_cluster import Kept
from tests.support.fake_keyring import FakeKeyring
from tests.support.rosters import kid_of, new_cluster

ADDRESS = "https://books.example.com"
AT = "2026-11-23T00:00:09Z"


class Net:
    """Servers that are `up` or not; `primary` is whom a refresh names, `down` what discovery says."""

    def __init__(self) -> None:
        self.servers = new_cluster(("ap-south-1", "M"), ("eu-west-1", "E"), central_url=ADDRESS)
        for id_, region in (("a", "ap-south-1"), ("b", "ap-south-1"), ("c", "eu-west-1")):
            self.servers.add_server(id_, region, f"https://{id_}.example.com")
        self.servers.add_discovery("d", "https://d.example.com")
        self.up = {"a", "b", "c", "central", "d"}
        self.closest = "a"
        self.primary = ""
        self.epoch = 0
        self.states: dict[str, Liveness] = {}
        self.roster_version = 0
        self.refused: SignInError | None = None
        self.asked: list[tuple[str, str]] = []
        self.refreshes: list[tuple[str, RefreshRequest]] = []
        self.broken: list[str] = []

    def call(
        self, _kind: type[Any], _method: str, path: str, *, endpoint: Endpoint, body: Any = None, **_: Any
    ) -> Any:
        host = endpoint.url.removeprefix("https://").partition(".")[0].replace("books", "central")
        self.asked.append((host, path))
        if host not in self.up:
            raise OfflineError
        if path == paths.AUTH_REFRESH:
            return self._refresh(host, body)
        if path == paths.SERVERS:
            return Servers(self.servers.signed())
        if path == paths.SERVER_STATE.format(id="a"):
            return self._state("a")
        return {
            paths.CLOSEST_TO_ME: Closest(self.closest, "", AT),
            paths.HEALTH_READY: Health("ok", host, "1"),
            paths.HEARTBEATS: HeartbeatTaken(1, AT),
        }.get(path, SuspicionTaken("up"))

    def _refresh(self, host: str, body: RefreshRequest) -> Refreshed:
        if self.refused is not None:
            raise self.refused
        self.refreshes.append((host, body))
        to = self.primary or host
        primary = Primary(to, "", f"https://{to}.example.com")
        number = len(self.refreshes)
        return Refreshed(
            f"access {number}", 300, f"refresh {number}", primary, False, "x", self.epoch, AT,
            self.roster_version,
        )  # fmt: skip

    def _state(self, id_: str) -> ServerStateAnswer:
        ms = int(time.time() * 1_000)
        servers = [DirectoryServer(id_, self.states.get(id_, "up"), ms)]
        said = Directory("d", ms, ms, ms + 120_000, 1, False, servers)
        key = self.servers.keys["d"]
        return ServerStateAnswer("", signing.sign(key, kid_of(key), wire.DIRECTORY, said))

    def break_off(self, url: str) -> None:
        self.broken.append(url)


class Listener:
    """Notes what the runner tells, in its order."""

    def __init__(self) -> None:
        self.machines: list[Machine] = []
        self.told: list[str] = []

    def machine_changed(self, machine: Machine) -> None:
        self.machines.append(machine)

    def primary_changed(self, server_id: str) -> None:
        self.told.append(server_id)

    def replay_wanted(self) -> None:
        self.told.append("replay")


class ToldClock(ServerClock):
    """Notes each time that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[str] = []

    def learn(self, server_time: str) -> None:
        self.times.append(server_time)
        super().learn(server_time)


class Bench:
    """A session pinned to server `a`; what it starts beside waits in `work` until `run` does it."""

    def __init__(self, *, local: bool = False) -> None:
        self.net = Net()
        self.now = 1_000.0
        self.work: list[Callable[[], None]] = []
        self.listener = Listener()
        self.clock = ToldClock()
        self.cluster = cluster = Cluster(Kept())
        self.vault = Vault(lambda: "device", FakeKeyring)
        self.monitor = CallMonitor(lambda: self.now)
        self.tokens = SessionTokens(self.net, self.vault)  # type: ignore[arg-type]
        checks = HealthChecks(self.net, cluster, self.clock, lambda: self.now)  # type: ignore[arg-type]
        self.at_home = LocalSession(self._local, checks)
        self.at_cluster = ClusterSession(
            self.net, cluster, self.monitor, checks, lambda low, _high: low  # type: ignore[arg-type]
        )  # fmt: skip
        self.runner = SessionRunner(
            self.tokens, self.at_home, self.at_cluster, self.monitor, self.listener, self.clock,
            lambda: self.now, lambda low, _high: low, self.work.append,
        )  # fmt: skip
        if not local:
            cluster.meet(ADDRESS, self.net.servers.signed(), self.net.servers.fingerprint)
        self.sign_in("" if local else ADDRESS)

    def sign_in(self, address: str = ADDRESS) -> None:
        answer = SignedIn("access 0", 300, "refresh 0", Primary("a", "", ""), "asha", "book-1", "M7A", 0, AT)
        self.runner.begin(answer, address, remember=False)
        self.work.pop()  # the thread that lets time pass: here the test does

    def _local(self) -> Endpoint:
        if "a" not in self.net.up:
            raise OfflineError
        return Endpoint("https://a.example.com", "secret")

    @property
    def phase(self) -> Phase:
        return self.runner.machine.phase

    def tell(self, kind: OutcomeKind) -> None:
        """Let a call to server `a` have gone so."""
        self.monitor.outcomes.publish(CallOutcome("a", kind))

    def run(self) -> None:
        """Do what was started, and what that starts."""
        while self.work:
            self.work.pop(0)()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.runner.tick()
        self.run()

    def lose(self) -> None:
        """Let the locked server die, and its clients find out."""
        self.net.up.discard("a")
        self.tell("refused")
        self.run()
        self.net.states["a"] = "down"
        self.wait(0.25)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def whose(lease: LeasedToken) -> str:
    return lease.endpoint.server_id


def fails(call: Callable[[], object], kind: type[AppError]) -> AppError:
    with pytest.raises(kind) as error:
        call()
    return error.value


def test_a_call_gets_the_token_and_the_pinned_server(bench: Bench) -> None:
    lease = bench.runner.lease()
    assert (lease.token, whose(lease), lease.endpoint.url) == ("access 0", "a", "https://a.example.com")
    assert "access" not in repr(lease)


def test_before_a_refresh_the_central_address_names_the_closest_server(bench: Bench) -> None:
    bench.net.closest = "b"
    bench.wait(180)
    ((host, body),) = bench.net.refreshes
    assert (host, body.closest_server_id, body.reason) == ("a", "b", "expiry")
    assert not body.critical_task_in_progress
    assert bench.runner.lease().token == "access 1"
    assert bench.clock.times == [AT]


def test_the_clock_is_corrected_before_a_waiting_call_gets_its_token(bench: Bench) -> None:
    told: list[str] = []
    bench.listener.machine_changed = lambda machine: told.append(machine.phase.value)  # type: ignore[method-assign]
    bench.clock.learn = lambda _time: told.append("clock")  # type: ignore[method-assign]
    bench.wait(180)
    assert told == [Phase.REFRESHING.value, "clock", Phase.PINNED.value]


def test_without_the_central_address_the_refresh_names_no_closest_server(bench: Bench) -> None:
    bench.net.up.discard("central")
    bench.wait(180)
    ((host, body),) = bench.net.refreshes
    assert (host, body.closest_server_id) == ("a", "")


def test_a_refresh_reports_a_task_in_progress(bench: Bench) -> None:
    with bench.runner.tasks.task():
        bench.wait(180)
    assert bench.net.refreshes[0][1].critical_task_in_progress


def test_the_session_moves_to_the_closest_server_when_discovery_reports_the_pinned_one_as_down(
    bench: Bench,
) -> None:
    bench.net.closest, bench.net.epoch = "b", 1
    bench.lose()
    assert bench.net.refreshes[0][0] == "b"
    assert bench.net.refreshes[0][1].reason == "unreachable"
    assert whose(bench.runner.lease()) == "b"
    assert bench.listener.told == ["b", "replay"]
    assert bench.net.broken == ["https://a.example.com"]


def test_the_closest_server_is_not_asked_if_it_is_dead_or_not_in_the_roster(
    bench: Bench,
) -> None:
    for named in ("a", "z"):
        bench = Bench()
        bench.net.closest, bench.net.epoch = named, 1
        bench.lose()
        assert bench.net.refreshes[0][0] == "b"  # of the same region


def test_if_the_next_server_is_dead_too_another_is_asked_with_the_same_refresh_id(bench: Bench) -> None:
    bench.net.up.discard("b")
    bench.net.closest, bench.net.epoch = "b", 1
    before = bench.tokens.record()
    assert before is not None
    bench.lose()
    ((host, body),) = bench.net.refreshes
    assert (host, body.refresh_id) == ("c", before.refresh_id)
    assert [h for h, path in bench.net.asked if path == paths.AUTH_REFRESH] == ["b", "c"]


def test_calls_fail_at_once_while_reconnecting(bench: Bench) -> None:
    bench.net.up -= {"a"}
    bench.at_cluster.watchers = lambda *_: []  # type: ignore[method-assign]
    bench.tell("refused")
    bench.run()
    bench.wait(0.25)
    assert bench.phase is Phase.RECONNECTING
    fails(bench.runner.lease, OfflineError)
    fails(bench.runner.endpoint, OfflineError)


def test_without_discovery_another_server_is_asked_after_the_countdown(bench: Bench) -> None:
    bench.net.up -= {"a"}
    bench.net.closest, bench.net.epoch = "b", 1
    bench.at_cluster.watchers = lambda *_: []  # type: ignore[method-assign]
    bench.tell("refused")
    bench.run()
    bench.wait(0.25)
    for _ in range(29):
        bench.wait(1)
        assert bench.phase is Phase.RECONNECTING
    bench.wait(1)
    assert whose(bench.runner.lease()) == "b"


def test_an_answer_that_pins_to_a_server_outside_the_roster_is_refused(bench: Bench) -> None:
    bench.net.primary, bench.net.epoch = "evil", 1
    bench.wait(180)
    assert bench.runner.machine.server == "a"
    record = bench.tokens.record()
    assert record is not None
    assert record.refresh_token == "refresh 0"  # what such a server says does not count


def test_a_newer_roster_is_fetched_before_the_answer_is_applied(bench: Bench) -> None:
    bench.net.servers.add_server("n", "ap-south-1", "https://n.example.com")
    bench.net.primary, bench.net.epoch = "n", 1
    bench.net.roster_version = bench.net.servers.roster.version
    bench.net.up.add("n")
    bench.wait(180)
    assert whose(bench.runner.lease()) == "n"


def test_calls_fail_with_sign_in_error_after_the_session_was_refused(bench: Bench) -> None:
    bench.net.refused = SignInError("Over.", code=ErrorCode.UNAUTHENTICATED)
    bench.wait(180)
    assert bench.phase is Phase.SIGNED_OUT
    fails(bench.runner.lease, SignInError)


@pytest.mark.parametrize("late", [SignInError("Over.", code=ErrorCode.UNAUTHENTICATED), None])
def test_late_outcomes_of_an_old_session_do_not_affect_the_next(
    bench: Bench, late: SignInError | None
) -> None:
    bench.now += 180
    bench.runner.tick()
    refresh = bench.work.pop()
    ask = bench.tokens.rotate

    def overtaken(*arguments: Any, **more: Any) -> Refreshed:
        bench.runner.end()
        bench.sign_in()
        if late is not None:
            raise late
        ask(*arguments, **more)
        raise OfflineError

    bench.tokens.rotate = overtaken  # type: ignore[method-assign]
    refresh()
    bench.run()
    assert bench.phase is Phase.PINNED
    assert bench.runner.lease().token == "access 0"


def test_a_refused_call_is_repeated_once_with_a_fresh_token(bench: Bench) -> None:
    seen: list[str] = []

    def call(lease: LeasedToken) -> str:
        seen.append(lease.token)
        if lease.token == "access 0":
            raise SignInError("Please sign in again.", code=ErrorCode.UNAUTHENTICATED)
        return lease.token

    _waiting_runs(bench)
    assert bench.runner.run(call) == "access 1"
    assert seen == ["access 0", "access 1"]


def test_a_misdirected_call_is_repeated_once(bench: Bench) -> None:
    def call(lease: LeasedToken) -> str:
        if lease.token == "access 0":
            raise ServerError("No.", code=ErrorCode.WRONG_SERVER)
        return lease.token

    _waiting_runs(bench)
    assert bench.runner.run(call) == "access 1"


def test_a_call_in_flight_during_a_move_is_repeated_at_the_new_server(bench: Bench) -> None:
    bench.net.closest, bench.net.epoch = "b", 1

    def call(lease: LeasedToken) -> str:
        if whose(lease) == "a":
            bench.lose()
            raise OfflineError
        return whose(lease)

    assert bench.runner.run(call) == "b"


def test_a_failed_call_without_a_move_is_not_repeated(bench: Bench) -> None:
    seen: list[str] = []

    def call(lease: LeasedToken) -> str:
        seen.append(whose(lease))
        raise OfflineError

    fails(lambda: bench.runner.run(call), OfflineError)
    assert seen == ["a"]


def test_work_started_for_one_book_is_not_done_in_another(bench: Bench) -> None:
    fails(lambda: bench.runner.run(whose, "book-2"), SignInError)
    assert bench.runner.run(whose, "book-1") == "a"


def test_a_call_without_progress_for_three_seconds_is_reported_while_it_waits(bench: Bench) -> None:
    with bench.monitor.track("a"):
        bench.now += 2.9
        bench.runner.tick()
        assert bench.phase is Phase.PINNED
        bench.now += 0.1
        bench.runner.tick()
        assert bench.phase is Phase.SUSPECT
        bench.run()
        assert bench.phase is Phase.PINNED  # the probe was answered
        bench.runner.tick()
        assert bench.phase is Phase.PINNED  # said once


def test_a_call_that_transfers_bytes_is_not_silent(bench: Bench) -> None:
    with bench.monitor.track("a") as moved:
        for _ in range(4):
            bench.now += 2
            moved()
            bench.runner.tick()
    assert bench.phase is Phase.PINNED


def test_a_draining_server_passes_the_probe(bench: Bench) -> None:
    def draining(*_: Any, **__: Any) -> Any:
        raise ServerError("It ends.", code=ErrorCode.DRAINING)

    bench.net.call = draining  # type: ignore[method-assign]
    bench.tell("silent")
    bench.run()
    assert bench.phase is Phase.PINNED


def test_the_life_of_a_token_does_not_depend_on_the_wall_clock(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)
    bench.now += 179
    bench.runner.tick()
    assert bench.phase is Phase.PINNED
    assert bench.runner.lease().token == "access 0"


# --- the book on this computer ----------------------------------------------------------------------


def test_the_local_server_is_tried_again_and_never_left() -> None:
    bench = Bench(local=True)
    bench.net.up.discard("a")
    fails(bench.runner.endpoint, OfflineError)
    bench.net.up.add("a")
    assert bench.runner.lease().endpoint.secret == "secret"
    bench.wait(180)
    assert bench.runner.lease().token == "access 1"
    assert {host for host, _ in bench.net.asked} == {"a"}


def test_the_token_of_the_local_server_is_refreshed_when_it_is_back() -> None:
    bench = Bench(local=True)
    bench.net.up.discard("a")
    bench.wait(180)
    bench.wait(0.25)
    bench.wait(121)
    fails(bench.runner.lease, OfflineError)
    bench.net.up.add("a")
    bench.run()
    bench.wait(0)
    assert bench.runner.lease().token == "access 1"


def _waiting_runs(bench: Bench) -> None:
    """Let what waits for a refresh do it."""
    changed = bench.runner._changed
    changed.wait = lambda _seconds=None: bench.run() is None  # type: ignore[method-assign, assignment]


def test_a_closed_session_makes_no_calls(bench: Bench) -> None:
    bench.runner.end()
    assert bench.runner.machine == session.Machine()
    fails(bench.runner.lease, SignInError)


# --- what is told, and where calls go -----------------------------------------------------------------


def test_each_state_is_published_once_and_in_order(bench: Bench) -> None:
    bench.net.closest, bench.net.epoch = "b", 1
    bench.lose()
    phases = [machine.phase for machine in bench.listener.machines]
    assert phases[0] is Phase.PINNED
    assert [phase for phase in phases if phase is Phase.SWITCHING] == [Phase.SWITCHING]
    assert all(before != after for before, after in pairwise(bench.listener.machines))
    assert bench.listener.machines[-1] == bench.runner.machine


def test_a_new_listener_gets_the_present_state(bench: Bench) -> None:
    bench.tell("draining")
    bench.listener.machines.clear()
    bench.runner.announce()
    assert bench.listener.machines == [bench.runner.machine]


def test_states_caused_by_two_threads_are_published_in_order(bench: Bench) -> None:
    told: list[tuple[Machine, Machine]] = []
    bench.listener.machine_changed = lambda machine: told.append((machine, bench.runner.machine))  # type: ignore[method-assign]
    threads = [threading.Thread(target=bench.runner.try_now) for _ in range(2)]
    threads += [threading.Thread(target=bench.tell, args=(kind,)) for kind in ("refused", "busy", "answered")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(machine == present for machine, present in told)  # nobody came in between


def test_primary_changed_comes_before_replay_wanted(bench: Bench) -> None:
    bench.net.closest, bench.net.epoch = "b", 1
    bench.lose()
    assert bench.listener.told == ["b", "replay"]
    assert bench.listener.machines[-1].server == "b"


def test_the_machine_learns_from_answers_that_a_server_drains_or_is_busy(bench: Bench) -> None:
    bench.tell("draining")
    assert bench.runner.machine.draining
    bench.tell("busy")
    assert bench.runner.machine.busy_since == bench.now


def test_a_call_that_begins_wakes_the_runner_so_that_its_silence_is_noticed(bench: Bench) -> None:
    assert bench.runner._pause() > session.SILENCE_SECONDS
    woken: list[None] = []
    bench.runner._changed.notify_all = lambda: woken.append(None)  # type: ignore[method-assign]
    with bench.monitor.track("a"):
        assert woken == [None]
        assert bench.runner._pause() == session.SILENCE_SECONDS


def test_calls_to_the_local_server_are_not_reported_as_silent() -> None:
    bench = Bench(local=True)
    with bench.monitor.track("a"):
        bench.now += 60
        bench.runner.tick()
    assert bench.phase is Phase.PINNED
    assert bench.runner._pause() > session.SILENCE_SECONDS


def test_sessions_can_change_between_the_local_server_and_a_cluster() -> None:
    bench = Bench(local=True)
    assert bench.runner.endpoint().secret == "secret"
    bench.cluster.meet(ADDRESS, bench.net.servers.signed(), bench.net.servers.fingerprint)
    bench.sign_in()
    assert bench.runner.endpoint().secret == ""
    assert bench.runner.owner("https://b.example.com/v1/blobs/x").server_id == "b"
    fails(lambda: bench.runner.owner("https://evil.example.com/v1/blobs/x"), ServerError)
    bench.sign_in("")
    assert bench.runner.owner("https://b.example.com/v1/blobs/x").secret == "secret"
