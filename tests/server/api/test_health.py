"""The health checks."""

from collections.abc import Callable
from http import HTTPStatus
from importlib import metadata

from server.contract import paths, shapes
from tests.support.api import a_name, refusal
from tests.support.postgres import rows
from tests.support.servers import RunningServer


def test_a_live_and_ready_server_names_itself(server: RunningServer) -> None:
    expected = shapes.Health("ok", "test-1", metadata.version("bahi"))
    for path in (paths.HEALTH_LIVE, paths.HEALTH_READY):
        assert server.api().send("GET", path, shapes.Health) == expected


def test_with_an_access_token_the_readiness_check_tells_that_the_session_has_ended(
    server: RunningServer,
) -> None:
    name = a_name()
    one, other = server.api().register(name), server.api().login(name)
    assert one.send("GET", paths.HEALTH_READY, shapes.Health).status == "ok"
    listed = one.send("GET", paths.AUTH_SESSIONS, shapes.Sessions).sessions
    family = next(s.family for s in listed if not s.current)
    one.send("DELETE", paths.AUTH_SESSION.format(family=family), shapes.SessionsEnded)
    error = refusal(lambda: other.send("GET", paths.HEALTH_READY, shapes.Health))
    assert (error.status, error.code) == (HTTPStatus.UNAUTHORIZED, "unauthenticated")
    assert one.send("GET", paths.HEALTH_READY, shapes.Health).status == "ok"


def test_a_server_with_a_read_only_database_is_live_but_not_ready(
    start_server: Callable[..., RunningServer],
) -> None:
    server = start_server()
    read_only = """do $$ begin execute format(
        'alter database %%I set default_transaction_read_only = on', current_database()); end $$"""
    rows(server.config.database_url, read_only.replace("%%", "%"))
    rows(
        server.config.database_url,
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()",
    )
    for _ in range(8):  # the cut connections are found one by one
        error = refusal(lambda: server.api().send("GET", paths.HEALTH_READY, shapes.Health))
        assert (error.status, error.code) == (HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable")
    assert server.api().call("GET", paths.HEALTH_LIVE).ok
