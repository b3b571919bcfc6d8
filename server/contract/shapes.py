"""The messages between client and server. Decoding validates their types, `checks` validates the rest.

Conventions: names in camelCase, amounts as decimal strings with two places, dates as ``YYYY-MM-DD``,
timestamps as RFC 3339 in UTC, ids as UUID text, `ver` in microseconds since 1970.
"""

from typing import Literal

import msgspec

# CR is money in, DR is money out.
CrDr = Literal["CR", "DR"]
Status = Literal["active", "voided", "all"]


# Servers and clients of different versions work together. So a field that is added to an existing message
# must have a default value.


class Request(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A body that a client sends. An unknown field is refused: dropping it would lose what was entered."""


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """A body that a server sends. A client ignores fields that it does not know."""


# --- accounts -----------------------------------------------------------------------------------


class Device(Request, frozen=True):
    """One installation of the program: a permanent random id, and a name for the list of sessions.

    `secret` is a permanent random value. At the next log-in it proves that this installation has logged in
    before.
    """

    id: str
    name: str = ""
    secret: str = ""


class Credentials(Request, frozen=True):
    """The body of a login call."""

    user_name: str
    password: str
    device: Device


class Registration(Credentials, frozen=True):
    """The body of a register call. `invite_code` is needed if the server registers by invitation only."""

    invite_code: str = ""


class LocalSignIn(Request, frozen=True):
    """The body of a local log-in. It creates the book if there is none yet.

    `password_as_typed` is the form that older versions sent, if it differs from the prepared one.
    """

    device: Device
    user_name: str = ""
    password: str = ""
    password_as_typed: str = ""


class LocalRecovery(Request, frozen=True):
    """Sets a new password for the book on this computer, with its recovery code."""

    device: Device
    recovery_code: str
    new_password: str


class RecoveryCodeRequest(Request, frozen=True):
    """Asks for a new recovery code of the book on this computer; the one before is not valid any more."""

    password: str
    password_as_typed: str = ""


class PasswordReset(Request, frozen=True):
    """Sets a new password with the code of a link that the operator of a server made."""

    reset_code: str
    new_password: str
    device: Device


class RefreshRequest(Request, frozen=True):
    """One rotation of the refresh token. `refresh_id` is the same in every retry of one rotation.

    `closest_server_id` is the server that `/closestToMe` named, or "" if it did not answer. `reason` says
    whether the token expires or the server that the session is pinned to does not answer.
    """

    refresh_token: str
    refresh_id: str
    closest_server_id: str = ""
    critical_task_in_progress: bool = False
    reason: Literal["expiry", "unreachable"] = "expiry"


class LogoutRequest(Request, frozen=True):
    """Ends the session of a refresh token. The token may be of any generation."""

    refresh_token: str


class PasswordChange(Request, frozen=True, omit_defaults=True):
    """The body of a password change. A book on the user's own computer may have no password: "" stands for
    none. `old_as_typed` is sent to the local server only, because older servers refuse it."""

    old_password: str
    new_password: str
    old_as_typed: str = ""


class Primary(Answer, frozen=True):
    """The server that the session is pinned to."""

    server_id: str
    region: str
    url: str


class LocalBook(Answer, frozen=True):
    """The book on this computer, as far as it is shown before anybody logs in."""

    exists: bool
    user_name: str = ""
    has_password: bool = False
    has_recovery_code: bool = False


class SignedIn(Answer, frozen=True):
    """The tokens of a new session, and the server that it is pinned to.

    Every human code made by this device begins with `code_prefix`; `last_counter` is the highest number that
    the server has seen with this prefix. If `name_taken` is set, somebody in another region had the chosen
    name first, and `user_name` is the name to sign in with. `recovery_code` is a new code of a local book, to
    be shown once, or "".
    """

    access_token: str
    expires_in: int
    refresh_token: str
    primary: Primary
    user_name: str
    book_id: str
    code_prefix: str
    last_counter: int
    server_time: str
    lock_epoch: int = 0
    roster_version: int = 0
    name_taken: bool = False
    recovery_code: str = ""


class Session(Answer, frozen=True):
    """A session of one device. `family` is its id; `current` marks the session of the caller.

    `address` is the network address that the log-in came from, and `region` the region in which the session
    was last used; "" if not known.
    """

    family: str
    device_name: str
    created_at: str
    last_used_at: str
    current: bool
    address: str = ""
    region: str = ""


class Sessions(Answer, frozen=True):
    """The sessions of one user that have not ended, newest first."""

    sessions: list[Session]


class SessionsEnded(Answer, frozen=True):
    """The number of sessions that a call ended. `recovery_code` is the first code of a local book, or ""."""

    ended: int
    recovery_code: str = ""


class RecoveryCode(Answer, frozen=True):
    """The new recovery code of a local book. The server keeps only a hash of it."""

    recovery_code: str


class Refreshed(Answer, frozen=True):
    """The next generation of tokens.

    `changed` says that the session is pinned to another server now; `reason` is the name of the rule that
    decided it, and `lock_epoch` rises with each change. If the chosen user name turned out to belong to
    somebody else, `user_name` is the name to sign in with; otherwise it is "".
    """

    access_token: str
    expires_in: int
    refresh_token: str
    primary: Primary
    changed: bool
    reason: str
    lock_epoch: int
    server_time: str
    roster_version: int = 0
    user_name: str = ""


# --- documents ----------------------------------------------------------------------------------


class PlannedDocument(Request, frozen=True):
    """A bill that the client wants to upload."""

    sha256: str
    byte_size: int
    media_type: str


class PlanRequest(Request, frozen=True):
    """The body of a plan call."""

    documents: list[PlannedDocument]


class Upload(Answer, frozen=True):
    """Where to PUT the bytes, with which headers, and until when."""

    url: str
    headers: dict[str, str]
    expires_at: str


class DocumentPlan(Answer, frozen=True):
    """The plan for one document: it is stored already, or `upload` says where to send it."""

    sha256: str
    stored: bool
    upload: Upload | None = None


class PlanAnswer(Answer, frozen=True):
    """One plan for each document, in the order of the request."""

    documents: list[DocumentPlan]


class DocumentLink(Answer, frozen=True):
    """A short-lived URL of a document's bytes."""

    url: str
    expires_at: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


# --- entries ------------------------------------------------------------------------------------


class NewDocument(Request, frozen=True):
    """A bill that is added to an entry. Its bytes are on the server already."""

    id: str
    doc_code: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


class CreateEntry(Request, frozen=True):
    """The body of a create call: one entry with its documents, as one operation."""

    op_id: str
    ver: int
    id: str
    entry_date: str
    amount: str
    cr_dr: CrDr
    category: str
    description: str
    human_code: str
    currency: str = "INR"
    documents: list[NewDocument] = []


class EditEntry(Request, frozen=True):
    """The body of an edit call.

    It carries all fields of the entry, edited from the version `based_on`, but only the bills that are added
    or removed.
    """

    op_id: str
    ver: int
    based_on: int
    entry_date: str
    amount: str
    cr_dr: CrDr
    category: str
    description: str
    currency: str = "INR"
    add_documents: list[NewDocument] = []
    remove_documents: list[str] = []


class VoidEntry(Request, frozen=True):
    """The body of a void or restore call, made from the version `based_on`."""

    op_id: str
    ver: int
    based_on: int


class Document(Answer, frozen=True):
    """A bill of an entry."""

    id: str
    doc_code: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


class Entry(Answer, frozen=True):
    """An entry as the listing shows it."""

    id: str
    entry_date: str
    amount: str
    cr_dr: CrDr
    currency: str
    category: str
    description: str
    human_code: str
    document_count: int
    created_at: str
    updated_at: str
    ver: int
    voided_at: str | None = None


class EntryWithDocuments(Answer, frozen=True):
    """One entry and its bills, in order."""

    entry: Entry
    documents: list[Document]


class EntrySaved(Answer, frozen=True):
    """The receipt of an operation: the entry as this operation made it, and which server confirmed it when.

    `superseded` says that the entry has a newer version already.
    """

    op_id: str
    entry: Entry
    documents: list[Document]
    superseded: bool
    server_id: str
    region: str
    confirmed_at: str


class EntryVersion(Answer, frozen=True):
    """One version of an entry: who made it, on which device, when, and what it did.

    The listing shows the version that `stands`. `superseded` marks a version that lost to another one made
    from the same version; its contents can be restored.
    """

    op_id: str
    entry: Entry
    action: Literal["created", "edited", "voided", "restored"]
    author: str
    device: str
    region: str
    stands: bool
    superseded: bool
    documents_added: list[Document]
    documents_removed: list[Document]
    based_on: int = 0


class EntryHistory(Answer, frozen=True):
    """All versions of an entry, newest first."""

    versions: list[EntryVersion]


class BookDigest(Answer, frozen=True):
    """A digest of a book with all versions: two books with the same `digest` have the same contents.

    Author, device and accepting region of a version are not part of the digest.
    """

    entries: int
    documents: int
    versions: int
    digest: str


class EntryPage(Answer, frozen=True):
    """A page of entries, newest first. It is the last page if `next_cursor` is missing."""

    entries: list[Entry]
    next_cursor: str | None = None


class CategoryTotal(Answer, frozen=True):
    """The totals of one category."""

    category: str
    count: int
    money_out: str
    money_in: str


class MonthTotal(Answer, frozen=True):
    """The totals of one calendar month (`YYYY-MM`)."""

    month: str
    count: int
    money_out: str
    money_in: str


class Summary(Answer, frozen=True):
    """The totals of all entries that match a filter."""

    count: int
    money_out: str
    money_in: str
    net: str
    by_category: list[CategoryTotal]
    by_month: list[MonthTotal]


class CategorySuggestion(Answer, frozen=True):
    """A category that has been used before."""

    text: str
    uses: int


class DescriptionSuggestion(Answer, frozen=True):
    """A description that has been used before, with its last category and direction."""

    text: str
    uses: int
    category: str
    cr_dr: CrDr


class CategorySuggestions(Answer, frozen=True):
    """Suggestions, best first."""

    suggestions: list[CategorySuggestion]


class DescriptionSuggestions(Answer, frozen=True):
    """Suggestions, best first."""

    suggestions: list[DescriptionSuggestion]


class Health(Answer, frozen=True):
    """The answer of a health check."""

    status: Literal["ok"]
    server_id: str
    version: str
