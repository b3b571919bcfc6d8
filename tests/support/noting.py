"""Clients of the old and the new version in one book, at servers of both versions. New clients write notes.

A note is a key that the present server does not know. The clients make raw calls; a call that fails is
repeated unchanged at another server until one has confirmed it.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import msgspec
import requests

from server.contract import paths, shapes
from tests.support.api import PASSWORD, a_device, an_entry, now_us
from tests.support.operations import some_fields

_SECONDS: Final = 10
_TRIES: Final = 300
_DRAIN_SECONDS: Final = 5.0
_PASSING: Final = frozenset({"base_missing", "not_found", "wrong_server", "draining", "unknown_field"})


@dataclass(slots=True)
class Noted:
    """What was acknowledged: operations and how many records each, and by operation the version of an entry
    it made, the one it was made from (0: none), and the note it set (None: it knows of none). `unexpected`
    are refusals and errors that no upgrade explains, `longest` the seconds of the longest operation."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    versions: dict[str, tuple[str, int, int, str | None]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    passing: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    body: dict[str, Any]
    entry_id: str
    base: int
    note: str | None


class NotingPerson(threading.Thread):
    """Works until `end`. `servers` are their URLs by id, `is_new` says which know of notes by now; `hot` are
    entries (id, version) that everybody changes."""

    def __init__(
        self,
        servers: Mapping[str, str],
        is_new: Callable[[str], bool],
        user_name: str,
        hot: Sequence[tuple[str, int]],
        number: int,
        pause: float = 0.05,
    ) -> None:
        super().__init__(daemon=True)
        self.noted = Noted()
        self._servers, self._is_new, self._user_name = servers, is_new, user_name
        self._number, self._pause = number, pause
        self._known = dict(hot)
        self._chance = random.Random(number)
        self._device = a_device(f"noting {number}")
        self._sessions: dict[str, shapes.SignedIn] = {}
        self._draining: dict[str, float] = {}
        self._http = requests.Session()
        self._over = threading.Event()

    def run(self) -> None:
        """Do one thing after the other."""
        while not self._over.wait(self._pause):
            began = time.monotonic()
            self._bring(self._next())
            self.noted.longest = max(self.noted.longest, time.monotonic() - began)

    def end(self) -> None:
        """Stop after the present operation, and wait for it."""
        self._over.set()
        self.join(_SECONDS * 6)
        assert not self.is_alive(), "it hangs"

    # --- what to do ------------------------------------------------------------------------------

    def _next(self) -> _Call:
        knows = any(map(self._is_new, self._servers)) and self._chance.random() < 0.5
        note = f"note {uuid4().hex[:8]}" if knows else None
        extra = {"note": note} if knows else {}
        if self._chance.random() < 0.4:
            code = f"9{self._number:02}-{len(self.noted.acknowledged):06}"
            body = an_entry(human_code=code, **some_fields(self._chance))
            return _Call("POST", paths.ENTRIES, {**msgspec.to_builtins(body), **extra}, body.id, 0, note)
        id_, base = self._chance.choice(list(self._known.items()))
        edit = shapes.EditEntry(
            str(uuid4()), max(now_us(), base + 1), base, **some_fields(self._chance), add_documents=[]
        )
        path = paths.ENTRY.format(id=id_)
        return _Call("PUT", path, {**msgspec.to_builtins(edit), **extra}, id_, base, note)

    # --- how it goes -----------------------------------------------------------------------------

    def _bring(self, call: _Call) -> None:
        for attempt in range(_TRIES):
            id_ = self._chance.choice(self._open())
            try:
                answer = self._send(id_, call)
            except requests.RequestException as error:
                self.noted.passing[type(error).__name__] += 1
            else:
                if answer is not None and answer.ok:
                    self._learn(call)
                    return
                if answer is not None and not self._is_passing(answer):
                    return
            time.sleep(min(1.0, 0.02 * (attempt + 1)))
        self.noted.unexpected["never taken"] += 1

    def _open(self) -> list[str]:
        """Return the servers that have not said lately that they drain: a drain ends once nobody comes."""
        now = time.monotonic()
        return [id_ for id_ in self._servers if self._draining.get(id_, 0.0) < now] or list(self._servers)

    def _is_passing(self, answer: requests.Response) -> bool:
        code = str(answer.json()["error"]["code"])
        if code in _PASSING:
            self.noted.passing[code] += 1
            return True
        self.noted.unexpected[f"{answer.status_code} {code}"] += 1
        return False

    def _send(self, id_: str, call: _Call) -> requests.Response | None:
        """Call a server; None where the session had ended. Raises requests.RequestException."""
        if id_ not in self._sessions:
            id_ = self._sign_in(id_)
        if not id_:
            return None
        answer = self._http.request(
            call.method,
            self._servers[id_] + call.path,
            data=msgspec.json.encode(call.body),
            headers={"Authorization": f"Bearer {self._sessions[id_].access_token}"},
            timeout=_SECONDS,
        )
        if answer.status_code in {401, 421}:
            del self._sessions[id_]
            self.noted.passing["signed in again"] += 1
            return None
        kind = "new" if self._is_new(id_) else "old"
        knows = "knows notes" if call.note is not None else "knows none"
        self.noted.kinds[f"program {knows}, {kind} server: {answer.status_code}"] += 1
        if answer.headers.get(paths.DRAINING_HEADER):
            self._draining[id_] = time.monotonic() + _DRAIN_SECONDS
            self._leave(id_)
        return answer

    def _sign_in(self, id_: str) -> str:
        """Return the server that the log-in at another one led to, "" where it was not taken."""
        body = shapes.Credentials(self._user_name, PASSWORD, self._device)
        answer = self._http.post(
            self._servers[id_] + paths.AUTH_LOGIN, data=msgspec.json.encode(body), timeout=_SECONDS
        )
        if answer.headers.get(paths.DRAINING_HEADER):
            self._draining[id_] = time.monotonic() + _DRAIN_SECONDS
        if not answer.ok:
            self._is_passing(answer)
            return ""
        signed_in = msgspec.json.decode(answer.content, type=shapes.SignedIn)
        primary = signed_in.primary.server_id
        if primary in self._sessions:
            self._leave(primary)
        self._sessions[primary] = signed_in
        return primary

    def _leave(self, id_: str) -> None:
        """End a session, so that its server waits for nobody. Raises requests.RequestException."""
        body = shapes.LogoutRequest(self._sessions.pop(id_).refresh_token)
        url = self._servers[id_] + paths.AUTH_LOGOUT
        self._http.post(url, data=msgspec.json.encode(body), timeout=_SECONDS)

    def _learn(self, call: _Call) -> None:
        op_id, ver = str(call.body["opId"]), int(call.body["ver"])
        self.noted.acknowledged[op_id] = 1
        self.noted.versions[op_id] = (call.entry_id, ver, call.base, call.note)
        self._known[call.entry_id] = ver
