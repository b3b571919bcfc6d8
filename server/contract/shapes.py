"""The messages themselves. Decoding is the first half of validation, `checks` the second.

Conventions: camelCase names, amounts as decimal strings with two places, dates ``YYYY-MM-DD``,
instants RFC 3339 UTC, ids as UUID text, `ver` in microseconds since 1970.
"""

from typing import Literal

import msgspec

CrDr = Literal["CR", "DR"]
"""CR is money in, DR is money out."""
Status = Literal["active", "voided", "all"]


class Request(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A body that a client sends; a field we do not know is refused, not dropped."""


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """A body that a server sends; a client skips fields that it does not know."""


# --- accounts -----------------------------------------------------------------------------------


class Device(Request, frozen=True):
    """This installation: a random id that it keeps, and a name for the list of sessions.

    By `secret`, as random and kept beside the id, it shows at the next log-in that it was here before.
    """

    id: str
    name: str = ""
    secret: str = ""


class Credentials(Request, frozen=True):
    """Body of login."""

    user_name: str
    password: str
    device: Device


class Registration(Credentials, frozen=True):
    """Body of register; `invite_code` where the server takes new accounts by invitation."""

    invite_code: str = ""


class LocalSignIn(Request, frozen=True):
    """Body of the local log-in; makes the book where there is none yet."""

    device: Device
    user_name: str = ""
    password: str = ""


class RefreshRequest(Request, frozen=True):
    """One rotation; `refresh_id` is the same in every retry of it.

    `closest_server_id` is whom `/closestToMe` named just now, "" where it did not answer; `reason` says
    whether the token runs out or the locked server does not answer.
    """

    refresh_token: str
    refresh_id: str
    closest_server_id: str = ""
    critical_task_in_progress: bool = False
    reason: Literal["expiry", "unreachable"] = "expiry"


class LogoutRequest(Request, frozen=True):
    """Ends the session of a refresh token, of any of its generations."""

    refresh_token: str


class PasswordChange(Request, frozen=True):
    """Body of password; "" for a book on its own computer that has none, or shall have none."""

    old_password: str
    new_password: str


class Primary(Answer, frozen=True):
    """The server that the client is locked to."""

    server_id: str
    region: str
    url: str


class LocalBook(Answer, frozen=True):
    """What is on this computer before anybody logs in."""

    exists: bool
    user_name: str = ""
    has_password: bool = False


class SignedIn(Answer, frozen=True):
    """Tokens and where the client belongs now.

    `code_prefix` begins every human code made by this device; `last_counter` is the highest number
    that the server has seen behind it. `name_taken` says that somebody in another region had the chosen name
    first: `user_name` is the one to sign in by.
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


class Session(Answer, frozen=True):
    """A device that is signed in; `family` names the session, `current` says that it is the caller's."""

    family: str
    device_name: str
    created_at: str
    last_used_at: str
    current: bool


class Sessions(Answer, frozen=True):
    """The sessions of one user that may still go on, the newest first."""

    sessions: list[Session]


class SessionsEnded(Answer, frozen=True):
    """How many sessions a call ended."""

    ended: int


class Refreshed(Answer, frozen=True):
    """The next generation of tokens. `changed` says that `primary` is another server than the lock was on,
    `reason` names the rule that decided; `lock_epoch` rises with each change. `user_name` is the one to sign
    in by where the chosen name turned out to be somebody else's, "" where it is one's own.
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
    """A bill that the client is about to send."""

    sha256: str
    byte_size: int
    media_type: str


class PlanRequest(Request, frozen=True):
    """Body of plan."""

    documents: list[PlannedDocument]


class Upload(Answer, frozen=True):
    """Where to PUT the bytes, with which headers, until when."""

    url: str
    headers: dict[str, str]
    expires_at: str


class DocumentPlan(Answer, frozen=True):
    """For one document: here already, or where to send it."""

    sha256: str
    stored: bool
    upload: Upload | None = None


class PlanAnswer(Answer, frozen=True):
    """One plan a document, in the order asked."""

    documents: list[DocumentPlan]


class DocumentLink(Answer, frozen=True):
    """A short-lived address of the bytes."""

    url: str
    expires_at: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


# --- entries ------------------------------------------------------------------------------------


class NewDocument(Request, frozen=True):
    """A bill of a new entry; its bytes are stored already."""

    id: str
    doc_code: str
    file_name: str
    media_type: str
    byte_size: int
    sha256: str


class CreateEntry(Request, frozen=True):
    """Body of create: one entry with its documents, one operation."""

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
    """Body of an edit: the whole entry anew, made from version `based_on`; bills come and go one by one."""

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
    """Body of void and of restore, made from version `based_on`."""

    op_id: str
    ver: int
    based_on: int


class Document(Answer, frozen=True):
    """A bill as the server holds it."""

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
    """One entry and its bills, in their order."""

    entry: Entry
    documents: list[Document]


class EntrySaved(Answer, frozen=True):
    """The receipt of an operation: the entry as this operation made it, who confirmed it and when.

    `superseded` says that a newer version stands already.
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

    `superseded` says that it lost against another made from the same version; what it held is here to be
    restored. The one that `stands` is what the listing shows.
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
    """Every version of an entry, newest first."""

    versions: list[EntryVersion]


class BookDigest(Answer, frozen=True):
    """What a book holds, every version of it: two books with one `digest` hold the same.

    Who wrote a version, on which device and where it was accepted are no part of it.
    """

    entries: int
    documents: int
    versions: int
    digest: str


class EntryPage(Answer, frozen=True):
    """A keyset page, newest first; no `next_cursor` means the end."""

    entries: list[Entry]
    next_cursor: str | None = None


class CategoryTotal(Answer, frozen=True):
    """Totals of one category."""

    category: str
    count: int
    money_out: str
    money_in: str


class MonthTotal(Answer, frozen=True):
    """Totals of one calendar month (`YYYY-MM`)."""

    month: str
    count: int
    money_out: str
    money_in: str


class Summary(Answer, frozen=True):
    """Totals of a filter."""

    count: int
    money_out: str
    money_in: str
    net: str
    by_category: list[CategoryTotal]
    by_month: list[MonthTotal]


class CategorySuggestion(Answer, frozen=True):
    """A category that was used before."""

    text: str
    uses: int


class DescriptionSuggestion(Answer, frozen=True):
    """A description that was used before, with what it last went with."""

    text: str
    uses: int
    category: str
    cr_dr: CrDr


class CategorySuggestions(Answer, frozen=True):
    """Best first."""

    suggestions: list[CategorySuggestion]


class DescriptionSuggestions(Answer, frozen=True):
    """Best first."""

    suggestions: list[DescriptionSuggestion]


class Health(Answer, frozen=True):
    """The answer of the health checks."""

    status: Literal["ok"]
    server_id: str
    version: str
