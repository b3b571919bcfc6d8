"""The words for the place where a book is kept. Pure.

A book on this computer speaks of no server: its own server is a part of the program that nobody needs to
know of. This is the only file that has two texts for one thing. Everything else asks `words_of`.
"""

from dataclasses import dataclass
from typing import Final

NO_INVITE: Final = "This link is for a new password, and invites nobody. Please paste it at the log-in."
CROSSED_OUT_MEANS: Final = (
    "A crossed-out entry stays readable and does not count. Restore makes it count again."
)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts that are different for a book on this computer and for a book on a server."""

    is_local: bool
    location: str
    connected: str
    connected_tip: str
    not_connected: str
    kept: str
    sending: str
    waiting: str
    waiting_tag: str
    waiting_means: str
    nothing_waits: str
    send_now: str
    will_be_sent: str
    being_sent: str
    sent: str
    not_accepted: str
    not_accepted_because: str
    not_accepted_count: str
    from_cache: str
    only_searched: str
    not_all_here: str
    no_older_versions: str
    unreachable: str
    not_understood: str
    no_reason: str
    data_is: str
    data_files: tuple[tuple[str, str], ...]
    data_copy: str

    def searched(self, entries: str) -> str:
        """Return the sentence about a search of only these `entries`, for example `120 entries`."""
        return self.only_searched.format(entries=entries)

    def refusal(self, reason: str) -> str:
        """Return the sentence about an entry that was not accepted; `reason` may be empty."""
        return f"{self.not_accepted_because}: {reason}" if reason else f"{self.not_accepted_because}."


_HERE: Final = Words(
    is_local=True,
    location="This computer",
    connected="Saved",
    connected_tip="All entries are stored in your book on this computer.",
    not_connected="Opening your book…",
    kept="Your book is being opened again. Entries that you save now are kept, and stored in it then.",
    sending="Storing",
    waiting="Waiting to be stored",
    waiting_tag="waiting to be stored",
    waiting_means=(
        "Waiting means: safe on this computer, but not yet stored in your book. Bahi stores these entries as "
        "soon as the book is open."
    ),
    nothing_waits="All entries are stored in your book.",
    send_now="Store now",
    will_be_sent="will be stored",
    being_sent="being stored in your book",
    sent="Saved",
    not_accepted="Not stored",
    not_accepted_because="This entry was not stored",
    not_accepted_count="not stored",
    from_cache="Your book is being opened again. These are the last entries that were shown.",
    only_searched="Your book is being opened again. Only the newest {entries} were searched.",
    not_all_here="Only the newest entries can be read at this moment. An export needs all of them.",
    no_older_versions="Your book is being opened again. Then the older versions can be shown.",
    unreachable="Your book is being opened again. Please try again in a moment.",
    not_understood="Your book did not answer as expected. Please try again, or start Bahi again.",
    no_reason="This was not stored, and no reason was given.",
    data_is="Your book is on this computer, in this folder. Nothing of it is sent anywhere.",
    data_files=(
        ("server", "your book: all entries, all older versions, and all bills"),
        ("client.sqlite", "the entry that you are typing, your settings, and what waits to be stored"),
        ("bills", "copies of the bills that you looked at last"),
        ("bahi.log", "what the program did, without amounts and texts"),
    ),
    data_copy=(
        "Close Bahi. Then copy the whole folder to another disk or a USB stick. To use the copy, close Bahi "
        "and put that folder in the place of this one. Do not copy it while Bahi is open: the copy may be "
        "incomplete."
    ),
)
_THERE: Final = Words(
    is_local=False,
    location="On a server",
    connected="Connected",
    connected_tip="All entries are sent to the server.",
    not_connected="Not connected",
    kept="Entries that you save are kept on this computer and sent later.",
    sending="Sending",
    waiting="Waiting to be sent",
    waiting_tag="waiting to be sent",
    waiting_means=(
        "Waiting means: saved on this computer, but not yet sent to the server. Bahi sends these entries as "
        "soon as it can."
    ),
    nothing_waits="All entries are sent to the server.",
    send_now="Send now",
    will_be_sent="will be sent",
    being_sent="being sent to the server",
    sent="Sent to the server",
    not_accepted="Not accepted",
    not_accepted_because="The server did not accept this entry",
    not_accepted_count="not accepted",
    from_cache="Not connected: these are the last entries that this computer has seen.",
    only_searched="Not connected. Only the {entries} on this computer were searched.",
    not_all_here="This computer has only the newest entries. An export needs all of them, from the server.",
    no_older_versions="The older versions are on the server, which cannot be reached right now.",
    unreachable="The server cannot be reached right now.",
    not_understood="The server's answer could not be understood.",
    no_reason="The server did not accept this, and gave no reason.",
    data_is="Your book is on the server. This folder on your computer has what the server does not have yet.",
    data_files=(
        ("client.sqlite", "what waits to be sent, the entry that you are typing, and your settings"),
        ("bills", "the bills that wait to be sent, and copies of those that you looked at last"),
        ("bahi.log", "what the program did, without amounts and texts"),
    ),
    data_copy=(
        "Ask the people who run the server how they keep copies of it. On another computer, sign in, and "
        "your book is there. An export gives you all entries as a table."
    ),
)


def words_of(*, is_local: bool) -> Words:
    """Return the words for a book on this computer, or for one on a server."""
    return _HERE if is_local else _THERE
