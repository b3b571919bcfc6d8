"""A region's users as the mesh campaign needs them: raw calls of the API, mostly at one region's server.

One JSON order comes on standard input (`Order`); what was done leaves as one JSON line on standard output
(`Done`). A call whose answer was lost goes to the next region, as it is, until one region has confirmed it.
So does one call of twenty that was confirmed already. SIGTERM ends it once what is under way is confirmed.
"""

import itertools
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import uuid4

import msgspec
import requests

from server.contract import paths, shapes
from tests.support.api import a_document, an_entry, now_us
from tests.support.operations import some_fields

_SECONDS: Final = 10
_TRIES: Final = 400
_MORE_TEXTS: Final = 40


class Order(msgspec.Struct, frozen=True):
    """`urls` are the servers, the home region's first; `books` are user names, `hot` are each book's entries
    (id, ver) that everybody changes; `pace` is in operations per second of all threads (0: any)."""

    urls: list[str]
    books: list[str]
    password: str
    hot: list[list[tuple[str, int]]]
    operations: int
    threads: int
    seed: int
    prefix: str
    pace: float = 0.0


class Done(msgspec.Struct):
    """`acknowledged` is the number of records of each operation that a region confirmed, `times` are when
    each began and was confirmed (`time.monotonic()`), its bills' bytes and all its tries included."""

    acknowledged: dict[str, int] = {}
    kinds: dict[str, int] = {}
    refused: dict[str, int] = {}
    seconds: float = 0.0
    times: list[tuple[float, float]] = []


class Call(msgspec.Struct, frozen=True):
    """An operation on its way; the same body wherever it goes."""

    kind: str
    method: str
    path: str
    body: bytes
    op_id: str
    records: int = 1
    bills: list[tuple[bytes, shapes.NewDocument]] = []


class LostError(Exception):
    """No answer, or one that says to come again."""


class RefusedError(Exception):
    """The server will not take it; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Places:
    """Sessions of one process at every server: one device a book."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._devices = [shapes.Device(str(uuid4()), f"writer {order.prefix}") for _ in order.books]
        self._tokens: dict[tuple[int, int], str] = {}
        self._own = threading.local()
        self._lock = threading.Lock()

    def ask(self, place: int, book: int, method: str, path: str, data: bytes, **headers: str) -> bytes:
        """Call a server for a book. Raises LostError, RefusedError."""
        for _ in range(2):
            authorized = {"Authorization": f"Bearer {self._token(place, book)}", **headers}
            answer = self._send(place, method, path, data, authorized)
            if answer.status_code != 401:
                break
            self._tokens.pop((place, book), None)
        if answer.status_code >= 500 or answer.status_code == 401:
            raise LostError(str(answer.status_code))
        if not answer.ok:
            raise RefusedError(str(answer.json()["error"]["code"]))
        return answer.content

    def _token(self, place: int, book: int) -> str:
        with self._lock:
            token = self._tokens.get((place, book))
        if token is None:
            body = shapes.Credentials(self._order.books[book], self._order.password, self._devices[book])
            answer = self._send(place, "POST", paths.AUTH_LOGIN, msgspec.json.encode(body), {})
            if not answer.ok:
                raise LostError(f"login {answer.status_code}")
            token = msgspec.json.decode(answer.content, type=shapes.SignedIn).access_token
            with self._lock:
                self._tokens[place, book] = token
        return token

    def _send(
        self, place: int, method: str, path: str, data: bytes, headers: dict[str, str]
    ) -> requests.Response:
        url = path if "://" in path else self._order.urls[place] + path
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
        try:
            answer: requests.Response = self._own.session.request(
                method, url, data=data, headers=headers, timeout=_SECONDS
            )
        except requests.RequestException as error:
            raise LostError(type(error).__name__) from error
        return answer


class Writer:
    """One thread of users. `known` is what it knows of each book's entries: id → version."""

    def __init__(self, order: Order, places: Places, number: int, stop: threading.Event) -> None:
        self.done = Done()
        self._order, self._places, self._stop = order, places, stop
        self._chance = random.Random(f"{order.seed} {order.prefix} {number}")
        self._codes = (f"{order.prefix}-{number}{each:05}" for each in itertools.count())
        self._hot = [dict(entries) for entries in order.hot]
        self._made: list[dict[str, int]] = [{} for _ in order.books]
        self._voided: list[dict[str, int]] = [{} for _ in order.books]
        self._counted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def run(self, operations: int) -> Done:
        """Do so many."""
        pause = self._order.threads / self._order.pace if self._order.pace else 0.0
        due = time.monotonic()
        for _ in range(operations):
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            due = max(due, time.monotonic()) + pause
            self._do(self._chance.randrange(len(self._order.books)))
        self.done.kinds, self.done.refused = dict(self._counted), dict(self._refused)
        return self.done

    def _do(self, book: int) -> None:
        call, id_, base = self._next(book)
        began = time.monotonic()
        saved = self._bring(call, book)
        if saved is not None:
            self.done.times.append((began, time.monotonic()))
            self._learn(call.kind, book, id_, saved.entry.ver)
        elif base:
            self._counted["given up"] += 1
        if saved is not None and not call.bills and self._chance.random() < 0.05:
            self._replay(call, book)

    # --- what to do ------------------------------------------------------------------------------

    def _next(self, book: int) -> tuple[Call, str, int]:
        dice, made, voided = self._chance.random(), self._made[book], self._voided[book]
        if dice < 0.42:
            return self._create(bills=0)
        if dice < 0.47:
            return self._create(bills=self._chance.choice((1, 2)))
        if dice < 0.53:
            return self._edit(book, bills=1)
        if dice < 0.58 and made:
            return self._turn("void", paths.ENTRY_VOID, *self._chance.choice(list(made.items())))
        if dice < 0.61 and voided:
            return self._turn("restore", paths.ENTRY_RESTORE, *self._chance.choice(list(voided.items())))
        return self._edit(book)

    def _create(self, bills: int) -> tuple[Call, str, int]:
        documents = [a_document(number=number + 1) for number in range(bills)]
        pinned = [each.pinned() for each in documents]
        body = an_entry(human_code=next(self._codes), documents=pinned, **self._fields())
        sent = [(each.data, new) for each, new in zip(documents, pinned, strict=True)]
        call = Call("create", "POST", paths.ENTRIES, msgspec.json.encode(body), body.op_id, 1 + bills, sent)
        return call, body.id, 0

    def _edit(self, book: int, bills: int = 0) -> tuple[Call, str, int]:
        id_ = self._chance.choice(list(self._hot[book]))
        base = self._hot[book][id_]
        documents = [a_document(number=number + 1) for number in range(bills)]
        pinned = [each.pinned() for each in documents]
        fields = self._fields()
        body = shapes.EditEntry(str(uuid4()), max(now_us(), base + 1), base, **fields, add_documents=pinned)
        sent = [(each.data, new) for each, new in zip(documents, pinned, strict=True)]
        path, kind = paths.ENTRY.format(id=id_), "add a bill" if bills else "edit"
        call = Call(kind, "PUT", path, msgspec.json.encode(body), body.op_id, 1 + bills, sent)
        return call, id_, base

    def _turn(self, kind: str, path: str, id_: str, base: int) -> tuple[Call, str, int]:
        body = shapes.VoidEntry(str(uuid4()), max(now_us(), base + 1), base)
        return Call(kind, "POST", path.format(id=id_), msgspec.json.encode(body), body.op_id), id_, base

    def _fields(self) -> dict[str, Any]:
        fields = some_fields(self._chance)
        return {**fields, "description": f"{fields['description']} {self._chance.randrange(_MORE_TEXTS)}"}

    # --- how it goes -----------------------------------------------------------------------------

    def _bring(self, call: Call, book: int) -> shapes.EntrySaved | None:
        """Bring an operation to the home region, or to the next where no answer comes; None where no region
        takes it."""
        place = 0
        for attempt in range(_TRIES):
            try:
                saved = self._send(call, book, place)
            except LostError:
                self._counted["answer lost"] += 1
                place = (place + 1) % len(self._order.urls)
            except RefusedError as error:
                if error.code not in {"base_missing", "documents_missing", "not_found"}:
                    self._refused[f"{call.kind} {error.code}"] += 1
                    return None
                self._counted[f"{call.kind} waits: {error.code}"] += 1
                place = 0
            else:
                self.done.acknowledged[call.op_id] = call.records
                self._counted[call.kind] += 1
                self._counted["by another region"] += place != 0
                return saved
            time.sleep(min(1.0, 0.05 * (attempt + 1)))
        self._refused[f"{call.kind} never taken"] += 1
        return None

    def _replay(self, call: Call, book: int) -> None:
        if len(self._order.urls) == 1:
            return
        place = self._chance.randrange(1, len(self._order.urls))
        try:
            self._send(call, book, place)
        except (LostError, RefusedError) as error:
            self._counted[f"replay {error}"] += 1
        else:
            self._counted["replay"] += 1

    def _send(self, call: Call, book: int, place: int) -> shapes.EntrySaved:
        if call.bills:
            self._upload(call.bills, book, place)
        answer = self._places.ask(place, book, call.method, call.path, call.body)
        return msgspec.json.decode(answer, type=shapes.EntrySaved)

    def _upload(self, bills: Sequence[tuple[bytes, shapes.NewDocument]], book: int, place: int) -> None:
        planned = [shapes.PlannedDocument(new.sha256, new.byte_size, new.media_type) for _, new in bills]
        body = msgspec.json.encode(shapes.PlanRequest(planned))
        answer = self._places.ask(place, book, "POST", paths.DOCUMENTS_PLAN, body)
        plans = msgspec.json.decode(answer, type=shapes.PlanAnswer).documents
        for (data, _), plan in zip(bills, plans, strict=True):
            if plan.upload is not None and not plan.stored:
                self._places.ask(place, book, "PUT", plan.upload.url, data, **plan.upload.headers)

    def _learn(self, kind: str, book: int, id_: str, ver: int) -> None:
        if kind == "create":
            self._made[book][id_] = ver
        elif kind == "void":
            del self._made[book][id_]
            self._voided[book][id_] = ver
        elif kind == "restore":
            del self._voided[book][id_]
            self._made[book][id_] = ver
        else:
            self._hot[book][id_] = ver


def main() -> None:
    """Do what the order says."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    places, stop = Places(order), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    writers = [Writer(order, places, number, stop) for number in range(order.threads)]
    began = time.monotonic()
    with ThreadPoolExecutor(order.threads) as pool:
        parts = list(pool.map(lambda writer: writer.run(order.operations // order.threads), writers))
    whole = Done(seconds=time.monotonic() - began)
    for part in parts:
        whole.acknowledged |= part.acknowledged
        whole.times += part.times
        whole.kinds = dict(Counter(whole.kinds) + Counter(part.kinds))
        whole.refused = dict(Counter(whole.refused) + Counter(part.refused))
    sys.stdout.buffer.write(msgspec.json.encode(whole) + b"\n")


if __name__ == "__main__":
    main()
