"""The server's calls for entries, documents and sessions, one method each."""

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from app.remote.client import Client
from app.remote.session_runner import LeasedToken, SessionRunner
from server.contract import limits, paths
from server.contract.cluster_calls import (
    SyncStatus,
    SyncStatusRequest,
)
from server.contract.shapes import (
    BookDigest,
    CategorySuggestions,
    CreateEntry,
    DescriptionSuggestions,
    DocumentLink,
    DocumentPlan,
    EditEntry,
    EntryHistory,
    EntryPage,
    EntrySaved,
    EntryWithDocuments,
    Health,
    PasswordChange,
    PlanAnswer,
    PlannedDocument,
    PlanRequest,
    RecoveryCode,
    RecoveryCodeRequest,
    Session,
    Sessions,
    SessionsEnded,
    Summary,
    Upload,
    VoidEntry,
)

T = TypeVar("T")
_DIGEST_SECONDS: Final = 120.0  # a million entries take about six


class Api:
    """Every method raises AppError; with a `book_id`, SignInError if that book is no longer open."""

    def __init__(self, client: Client, runner: SessionRunner, book_id: str = "") -> None:
        self._client = client
        self._runner = runner
        self._book_id = book_id

    def for_book(self, book_id: str) -> "Api":
        """Return the same calls restricted to one book, for work that may outlast the book's session."""
        return Api(self._client, self._runner, book_id)

    def ready(self) -> None:
        """Check that the server can save an entry, and that the session goes on. Raises AppError if not."""
        self._run(Health, "GET", paths.HEALTH_READY, seconds=3)

    def sessions(self) -> list[Session]:
        """Return the user's sessions on all devices."""
        return self._run(Sessions, "GET", paths.AUTH_SESSIONS).sessions

    def end_session(self, family: str) -> None:
        """End one of the user's sessions."""
        self._run(SessionsEnded, "DELETE", paths.AUTH_SESSION.format(family=family))

    def change_password(self, body: PasswordChange) -> SessionsEnded:
        """Change the password. Return the number of other sessions that this ended."""
        return self._run(SessionsEnded, "POST", paths.AUTH_PASSWORD, body=body)

    def new_recovery_code(self, body: RecoveryCodeRequest) -> str:
        """Return a new recovery code of the book on this computer."""
        code = self._run(RecoveryCode, "POST", paths.AUTH_LOCAL_CODE, body=body).recovery_code
        return code[: limits.MAX_DEVICE_SECRET]

    def plan(self, documents: list[PlannedDocument]) -> list[DocumentPlan]:
        """Return, for each bill, whether the server has it already, and if not, where to upload it."""
        return self._run(PlanAnswer, "POST", paths.DOCUMENTS_PLAN, body=PlanRequest(documents)).documents

    def upload(self, upload: Upload, file: Path) -> None:
        """Upload the bytes of one bill."""
        self._client.put_file(upload.url, file, upload.headers, self._runner.owner(upload.url))

    def create(self, body: CreateEntry) -> EntrySaved:
        """Create an entry. Its bills must have been uploaded before."""
        return self._run(EntrySaved, "POST", paths.ENTRIES, body=body)

    def edit(self, entry_id: str, body: EditEntry) -> EntrySaved:
        """Save a new version of an entry."""
        return self._run(EntrySaved, "PUT", paths.ENTRY.format(id=entry_id), body=body)

    def void(self, entry_id: str, body: VoidEntry) -> EntrySaved:
        """Void an entry."""
        return self._run(EntrySaved, "POST", paths.ENTRY_VOID.format(id=entry_id), body=body)

    def restore(self, entry_id: str, body: VoidEntry) -> EntrySaved:
        """Restore a voided entry."""
        return self._run(EntrySaved, "POST", paths.ENTRY_RESTORE.format(id=entry_id), body=body)

    def history(self, entry_id: str) -> EntryHistory:
        """Return every version of an entry."""
        return self._run(EntryHistory, "GET", paths.ENTRY_HISTORY.format(id=entry_id))

    def entries(self, query: dict[str, str]) -> EntryPage:
        """Return a page of the listing."""
        return self._run(EntryPage, "GET", paths.ENTRIES, query=query)

    def entry(self, entry_id: str) -> EntryWithDocuments:
        """Return an entry with its bills."""
        return self._run(EntryWithDocuments, "GET", paths.ENTRY.format(id=entry_id))

    def summary(self, query: dict[str, str]) -> Summary:
        """Return the totals of the entries that a filter includes."""
        return self._run(Summary, "GET", paths.ENTRIES_SUMMARY, query=query)

    def digest(self) -> BookDigest:
        """Return counts and a hash of every version in the book. It takes seconds for a large book."""
        return self._run(BookDigest, "GET", paths.BOOK_DIGEST, seconds=_DIGEST_SECONDS)

    def sync_status(self, op_ids: list[str]) -> SyncStatus:
        """Return the replication status of operations of this book."""
        return self._run(SyncStatus, "POST", paths.SYNC_STATUS, body=SyncStatusRequest(op_ids))

    def categories(self, prefix: str) -> CategorySuggestions:
        """Return categories that begin with `prefix`."""
        return self._run(CategorySuggestions, "GET", paths.SUGGEST_CATEGORIES, query={"prefix": prefix})

    def descriptions(self, prefix: str) -> DescriptionSuggestions:
        """Return descriptions that begin with `prefix`."""
        return self._run(DescriptionSuggestions, "GET", paths.SUGGEST_DESCRIPTIONS, query={"prefix": prefix})

    @contextlib.contextmanager
    def document(self, document_id: str) -> Generator[Iterator[bytes], None, None]:
        """Download a bill in pieces."""
        link = self._run(DocumentLink, "GET", paths.DOCUMENT_LINK.format(id=document_id))
        with self._client.stream(link.url, endpoint=self._runner.owner(link.url)) as pieces:
            yield pieces

    @contextlib.contextmanager
    def csv(self, query: dict[str, str]) -> Generator[Iterator[bytes], None, None]:
        """Download the CSV of the entries that a filter includes, in pieces."""
        with contextlib.ExitStack() as stack:
            yield self._runner.run(
                lambda lease: stack.enter_context(
                    self._client.stream(
                        paths.EXPORT_CSV, query=query, token=lease.token, endpoint=lease.endpoint
                    )
                ),
                self._book_id,
            )

    def _run(self, kind: type[T], method: str, path: str, **more: Any) -> T:
        def call(lease: LeasedToken) -> T:
            return self._client.call(kind, method, path, token=lease.token, endpoint=lease.endpoint, **more)

        return self._runner.run(call, self._book_id)
