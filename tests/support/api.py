"""A small typed client of the API for tests, and builders of its request bodies."""

import hashlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import requests

from server.contract import paths, shapes
from server.contract.errors import ErrorBody, ErrorInfo

_T = TypeVar("_T")
PASSWORD: Final = "a long enough password"
_SECONDS: Final = 30
_numbers: Final = itertools.count(1)


class RefusedError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, info: ErrorInfo) -> None:
        super().__init__(f"{status} {info.code}: {info.message}")
        self.status = status
        self.code = info.code
        self.message = info.message
        self.detail = info.detail

    @property
    def fields(self) -> dict[str, str]:
        """The sentence at each field."""
        found: Any = self.detail.get("fields", [])
        return {error["field"]: error["message"] for error in found}


def refusal(call: Callable[[], object]) -> RefusedError:
    """Return the refusal that `call` meets; fails where it is answered."""
    try:
        call()
    except RefusedError as error:
        return error
    raise AssertionError("the call was not refused")


# --- builders -------------------------------------------------------------------------------------


def now_us() -> int:
    """Return the time in µs since 1970."""
    return time.time_ns() // 1_000


def new_id() -> str:
    """Return a UUID v7 (RFC 9562): ids made later are greater, to the millisecond."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=number & ~(0x3 << 62) | 0x2 << 62))


def an_entry(**changes: Any) -> shapes.CreateEntry:
    """Return a new entry: 1,250.00 spent on stationery today, but for `changes`."""
    values: dict[str, Any] = {
        "op_id": str(uuid4()),
        "ver": now_us(),
        "id": new_id(),
        "entry_date": date.today().isoformat(),  # noqa: DTZ011 - any day near today will do
        "amount": "1250.00",
        "cr_dr": "DR",
        "category": "Stationery",
        "description": "Paper and pens",
        "human_code": f"T01-{next(_numbers):06}",
    }
    return shapes.CreateEntry(**{**values, **changes})


@dataclass(frozen=True, slots=True)
class Bill:
    """A file and what is said of it."""

    data: bytes
    file_name: str
    media_type: str
    id: str = field(default_factory=new_id)
    doc_code: str = "01-000001-1"

    @property
    def sha256(self) -> str:
        """Lower-case hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def planned(self, **changes: Any) -> shapes.PlannedDocument:
        """Return the entry of plan."""
        values: dict[str, Any] = {
            "sha256": self.sha256,
            "byte_size": len(self.data),
            "media_type": self.media_type,
        }
        return shapes.PlannedDocument(**{**values, **changes})

    def pinned(self, **changes: Any) -> shapes.NewDocument:
        """Return the document of create."""
        values: dict[str, Any] = {
            "id": self.id,
            "doc_code": self.doc_code,
            "file_name": self.file_name,
            "media_type": self.media_type,
            "byte_size": len(self.data),
            "sha256": self.sha256,
        }
        return shapes.NewDocument(**{**values, **changes})


def a_document(
    data: bytes | None = None, *, file_name: str = "bill.png", media_type: str = "image/png", number: int = 1
) -> Bill:
    """Return a bill; without `data` a PNG's signature and bytes that nobody else has."""
    some = b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(64) if data is None else data
    return Bill(some, file_name, media_type, doc_code=f"01-{next(_numbers):06}-{number}")


def a_device(name: str = "Test PC") -> shapes.Device:
    """Return an installation that nobody has seen before."""
    return shapes.Device(str(uuid4()), name)


def a_name() -> str:
    """Return a user name that nobody has."""
    return f"asha-{secrets.token_hex(6)}"


# --- calls ----------------------------------------------------------------------------------------


class Api:
    """Calls of one server; each refusal is raised as RefusedError."""

    def __init__(self, url: str, *, secret: str = "", token: str = "") -> None:
        self.url = url
        self.headers = {paths.LOCAL_SECRET_HEADER: secret} if secret else {}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one call, whatever comes back; `path` may be a whole URL."""
        url = path if "://" in path else self.url + path
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=_SECONDS, **options)

    def send(self, method: str, path: str, kind: type[_T], body: object = None, **options: Any) -> _T:
        """Send `body` and read the answer as `kind`. Raises RefusedError."""
        if body is not None:
            options["data"] = msgspec.json.encode(body)
        return read(self.call(method, path, **options), kind)

    def with_token(self, token: str) -> "Api":
        """Return the same client with another access token."""
        other = Api(self.url, token=token)
        other.headers = {**self.headers, **other.headers}
        return other

    # accounts

    def register(
        self, name: str = "", password: str = PASSWORD, device: shapes.Device | None = None
    ) -> "BookApi":
        """Make an account with a name of its own and sign in."""
        body = shapes.Credentials(name or a_name(), password, device or a_device())
        return self._book(self.send("POST", paths.AUTH_REGISTER, shapes.SignedIn, body), body.device)

    def login(self, name: str, password: str = PASSWORD, device: shapes.Device | None = None) -> "BookApi":
        """Sign in."""
        body = shapes.Credentials(name, password, device or a_device())
        return self._book(self.send("POST", paths.AUTH_LOGIN, shapes.SignedIn, body), body.device)

    def local(self, name: str = "", password: str = "", device: shapes.Device | None = None) -> "BookApi":
        """Open, or make, the book of a computer's own server."""
        body = shapes.LocalSignIn(device or a_device(), name, password)
        return self._book(self.send("POST", paths.AUTH_LOCAL, shapes.SignedIn, body), body.device)

    def local_book(self) -> shapes.LocalBook:
        """Ask what is on this computer."""
        return self.send("GET", paths.AUTH_LOCAL, shapes.LocalBook)

    def refresh(self, refresh_token: str, refresh_id: str) -> shapes.Refreshed:
        """Rotate."""
        body = shapes.RefreshRequest(refresh_token, refresh_id)
        return self.send("POST", paths.AUTH_REFRESH, shapes.Refreshed, body)

    def _book(self, signed_in: shapes.SignedIn, device: shapes.Device) -> "BookApi":
        return BookApi(self, signed_in, device)


class BookApi(Api):
    """The calls of somebody who is signed in."""

    def __init__(self, api: Api, signed_in: shapes.SignedIn, device: shapes.Device) -> None:
        super().__init__(api.url, token=signed_in.access_token)
        self.headers = {**api.headers, **self.headers}
        self.signed_in = signed_in
        self.device = device

    def with_token(self, token: str) -> "BookApi":
        """Return the same client with another access token."""
        other = BookApi(self, self.signed_in, self.device)
        other.headers["Authorization"] = f"Bearer {token}"
        return other

    @property
    def book_id(self) -> str:
        """The book's id."""
        return self.signed_in.book_id

    # documents

    def plan(self, *bills: Bill | shapes.PlannedDocument) -> list[shapes.DocumentPlan]:
        """Ask where to send bills."""
        planned = [bill.planned() if isinstance(bill, Bill) else bill for bill in bills]
        body = shapes.PlanRequest(planned)
        return self.send("POST", paths.DOCUMENTS_PLAN, shapes.PlanAnswer, body).documents

    def put(self, plan: shapes.DocumentPlan, data: bytes) -> requests.Response:
        """Send the bytes, whatever comes back."""
        assert plan.upload is not None
        return self.call("PUT", plan.upload.url, data=data, headers=plan.upload.headers)

    def upload(self, *bills: Bill) -> None:
        """Plan, and send what is missing. Raises RefusedError."""
        for bill, plan in zip(bills, self.plan(*bills), strict=True):
            if not plan.stored:
                content(self.put(plan, bill.data))

    def link(self, document_id: str) -> shapes.DocumentLink:
        """Ask for a link to a document."""
        return self.send("GET", paths.DOCUMENT_LINK.format(id=document_id), shapes.DocumentLink)

    def fetch(self, document_id: str) -> bytes:
        """Return a document's bytes. Raises RefusedError."""
        return content(self.call("GET", self.link(document_id).url))

    # entries

    def create(self, body: shapes.CreateEntry) -> shapes.EntrySaved:
        """Add an entry whose bills are on the server."""
        return self.send("POST", paths.ENTRIES, shapes.EntrySaved, body)

    def add(self, *bills: Bill, **changes: Any) -> shapes.EntrySaved:
        """Send `bills` and add an entry with them (`an_entry`)."""
        self.upload(*bills)
        return self.create(an_entry(documents=[bill.pinned() for bill in bills], **changes))

    def get(self, entry_id: str) -> shapes.EntryWithDocuments:
        """Return one entry."""
        return self.send("GET", paths.ENTRY.format(id=entry_id), shapes.EntryWithDocuments)

    def page(self, **query: Any) -> shapes.EntryPage:
        """Return one page; `first` and `last` stand for `from` and `to`."""
        return self.send("GET", paths.ENTRIES, shapes.EntryPage, params=_query(query))

    def pages(self, **query: Any) -> Iterator[shapes.EntryPage]:
        """Yield page after page to the end."""
        page = self.page(**query)
        yield page
        while page.next_cursor is not None:
            page = self.page(cursor=page.next_cursor, **query)
            yield page

    def all(self, **query: Any) -> list[shapes.Entry]:
        """Return every entry of a filter."""
        return [entry for page in self.pages(**query) for entry in page.entries]

    def summary(self, **query: Any) -> shapes.Summary:
        """Return the totals of a filter."""
        return self.send("GET", paths.ENTRIES_SUMMARY, shapes.Summary, params=_query(query))

    def categories(self, prefix: str = "") -> list[shapes.CategorySuggestion]:
        """Complete a category."""
        query = {"prefix": prefix}
        kind = shapes.CategorySuggestions
        return self.send("GET", paths.SUGGEST_CATEGORIES, kind, params=query).suggestions

    def descriptions(self, prefix: str = "") -> list[shapes.DescriptionSuggestion]:
        """Complete a description."""
        query = {"prefix": prefix}
        kind = shapes.DescriptionSuggestions
        return self.send("GET", paths.SUGGEST_DESCRIPTIONS, kind, params=query).suggestions

    def export(self, **query: Any) -> bytes:
        """Return the CSV file of a filter."""
        return content(self.call("GET", paths.EXPORT_CSV, params=_query(query)))


def content(answer: requests.Response) -> bytes:
    """Return the body. Raises RefusedError for an answer that is not 2xx."""
    if not answer.ok:
        raise RefusedError(answer.status_code, msgspec.json.decode(answer.content, type=ErrorBody).error)
    return answer.content


def read(answer: requests.Response, kind: type[_T]) -> _T:
    """Return the body as `kind`. Raises RefusedError for an answer that is not 2xx."""
    return msgspec.json.decode(content(answer), type=kind)


def _query(values: dict[str, Any]) -> dict[str, str]:
    names = {"first": "from", "last": "to", "cr_dr": "crDr", "has_document": "hasDocument"}
    written = {True: "true", False: "false"}
    return {
        names.get(name, name): written[value] if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
