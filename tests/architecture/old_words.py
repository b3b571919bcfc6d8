"""The words that house order replaced, and the modules in which one of them still has a sense of its own."""

from typing import Final, NamedTuple

FORBIDDEN: Final = {
    # replication
    *("following", "kick", "hurry", "whereabouts", "places", "place", "truth", "fence", "fences", "held"),
    *("copying", "watching", "retained"),
    # sessions, pins and log-in
    *("stay", "stays", "staying", "lock", "locks", "locked", "entrance", "door", "doors", "beside"),
    *("scout", "scouting", "hearing", "gate", "identify", "pinning", "leaving"),
    # servers
    *("beating", "asking", "asker", "operator", "keyring", "link", "links", "patience", "describes", "watch"),
}
"""In the name of anything, and in the event of a log message."""

FORBIDDEN_AS: Final = {"module": {"joining", "wanted", "words", "drops"}}
"""In names of one kind only: elsewhere these are plain English."""


class Allowed(NamedTuple):
    """`words` in a sense of their own, for a reason, in these modules."""

    words: tuple[str, ...]
    reason: str
    modules: tuple[str, ...]


ALLOWED: Final[tuple[Allowed, ...]] = (
    Allowed(
        ("lock",),
        "a lock between threads",
        (
            *("app.local_server", "app.remote.auth", "app.remote.call_monitor", "app.remote.client"),
            *(
                "app.remote.sockets",
                "app.services.drafts",
                "app.services.message_thread",
                "app.services.preview_process",
                "app.services.previews",
            ),
            *("app.services.replication_tracker", "app.services.sync", "app.services.sync_worker"),
            *("app.store.chosen_files", "app.store.database", "app.store.files", "app.store.vault"),
        ),
    ),
    Allowed(
        ("lock", "locked"),
        "a lock on a file",
        (
            "app.ui.single_instance",
            "server.cli.users",
            "server.node.folder_lock",
            "server.process.start_stop",
        ),
    ),
    Allowed(
        ("lock", "locked"),
        "a lock in PostgreSQL",
        (
            *("server.auth.store", "server.db.ddl_lock", "server.db.migrate", "server.journal.rollup"),
            "server.replication.node",
        ),
    ),
    Allowed(("beside",), "the page or bill beside the one in view", ("app.domain.preview",)),
    Allowed(("keyring",), "the keyring of the operating system", ("app.store.vault",)),
    Allowed(
        ("link", "links"),
        "an invite link, or a link for a new password",
        (
            *("app.domain.invite_text", "app.remote.cluster", "app.services.login", "app.ui.bounds"),
            *("app.services.recovery", "app.services.session_facts", "app.ui.dialogs.forgotten_password"),
            *("app.ui.views.login_view", "app.ui.widgets.address_field", "server.cli.users"),
        ),
    ),
    Allowed(
        ("link",),
        "the link to a document: a call of the wire",
        ("app.remote.api", "server.api.documents", "server.documents.service"),
    ),
    Allowed(("retained",), "a table of client.sqlite", ("app.store.schema",)),
    Allowed(("places",), "places after the decimal point", ("server.entries.records",)),
    Allowed(("pinning",), "the room of pinning a session to a server", ("server.pinning",)),
    Allowed(
        ("copying",),
        "the first copy of a table, as PostgreSQL calls it",
        ("server.replication.catch_up", "server.replication.status"),
    ),
)
