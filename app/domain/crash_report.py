"""The report about an error of the program: where it happened, and nothing of what the user has entered.

It has the types of errors, but not their messages; the names of code files, but not where they are; and the
names of events of the log, but not their values. So there are no amounts, texts, names or passwords in
it. Pure.
"""

import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Final

REMOVED: Final = "[removed]"
_MOST_FRAMES: Final = 60
_LAST_FRAMES: Final = 40
_MOST_ERRORS: Final = 12
_MOST_LINES: Final = 400
_EVENT: Final = re.compile(r"[a-z][a-z ,;:_-]{0,79}")
_SYMBOL: Final = re.compile(r"[A-Z][A-Z_]{1,40}")
_FAULT: Final = re.compile(r"(Fatal Python error|Windows fatal exception): ([A-Za-z ]{1,60})")
_THREAD: Final = re.compile(r"(Current thread|Thread) 0x[0-9a-f]+")
_FRAME: Final = re.compile(r'  File "(.{1,500})", line (\d{1,9}) in (.{1,200})')


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """What a report says about the program. `roots` are the folders of its code and of its libraries."""

    version: str
    system: str
    python: str
    qt: str
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log: `at` is its time as text, `name` its message without any value."""

    at: str
    name: str


def error_report(error: BaseException, facts: ProgramFacts, events: Iterable[LoggedEvent] = ()) -> str:
    """Return the report about an unexpected exception, as lines of text."""
    return _report(facts, ["What went wrong", *_chain(error, facts.roots)], events)


def end_report(trace: str, facts: ProgramFacts, events: Iterable[LoggedEvent] = ()) -> str:
    """Return the report about a program that has ended unexpectedly.

    `trace` is what `faulthandler` wrote, "" if it wrote nothing. Only what it is known to write is kept.
    """
    lines = [_known_line(line, facts.roots) for line in trace.splitlines()[:_MOST_LINES]]
    known = [line for line in lines if line]
    nothing = ["It was ended from outside, for example by the system, or by a power failure."]
    return _report(facts, ["How Bahi ended", *(known or nothing)], events)


def origin_of(error: BaseException) -> tuple[str, str, int]:
    """Return the type, the code file and the line of an exception: the same for each repetition of it."""
    file, line = "", 0
    for code, number in _frames(error.__traceback__):
        file, line = code.co_filename, number
    return type(error).__qualname__, file, line


def _report(facts: ProgramFacts, parts: list[str], events: Iterable[LoggedEvent]) -> str:
    head = [
        f"Bahi {facts.version}",
        f"System: {facts.system}",
        f"Python {facts.python}, Qt {facts.qt}",
        "",
        *parts,
    ]
    told = [f"{event.at}  {_event_name(event.name)}" for event in events]
    return "\n".join([*head, *(["", "What Bahi did before", *told] if told else []), ""])


def _event_name(name: str) -> str:
    return name if _EVENT.fullmatch(name) else REMOVED


def _chain(error: BaseException, roots: Sequence[str]) -> Iterator[str]:
    """Yield the lines about an exception, and about those that led to it, the newest first."""
    waiting: list[tuple[str, BaseException]] = [("", error)]
    told: set[int] = set()
    while waiting and len(told) < _MOST_ERRORS:
        relation, each = waiting.pop(0)
        if id(each) in told:
            continue
        told.add(id(each))
        yield f"{relation}{_type_of(each)}: {REMOVED}"
        yield from _lines(each.__traceback__, roots)
        if isinstance(each, BaseExceptionGroup):
            waiting += [("one of its errors: ", inner) for inner in each.exceptions]
        if each.__cause__ is not None:
            waiting.append(("caused by ", each.__cause__))
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(("while handling ", each.__context__))


def _type_of(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    symbol = _symbol(error)
    return f"{name} ({symbol})" if symbol else name


def _symbol(error: BaseException) -> str:
    """Return the symbol of an error of the system or of SQLite, such as ENOSPC; "" if it has none."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    symbol = getattr(error, "sqlite_errorname", "")
    return symbol if isinstance(symbol, str) and _SYMBOL.fullmatch(symbol) else ""


def _frames(trace: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lineno or 0
        trace = trace.tb_next


def _lines(trace: TracebackType | None, roots: Sequence[str]) -> list[str]:
    lines = [
        f"  {_code_file(code.co_filename, roots)}, line {number}, in {code.co_qualname}"
        for code, number in _frames(trace)
    ]
    if len(lines) <= _MOST_FRAMES:
        return lines
    first = _MOST_FRAMES - _LAST_FRAMES
    return [*lines[:first], f"  … {len(lines) - _MOST_FRAMES} more …", *lines[-_LAST_FRAMES:]]


def _code_file(name: str, roots: Sequence[str]) -> str:
    """Return the name of a code file within the program, or within a library; never the folder of either."""
    plain = name.replace("\\", "/")
    for root in sorted((each.replace("\\", "/").rstrip("/") for each in roots), key=len, reverse=True):
        if root and plain.startswith(f"{root}/"):
            return plain[len(root) + 1 :]
    is_absolute = plain.startswith("/") or plain[1:2] == ":"
    return plain.rsplit("/", 1)[-1] if is_absolute or ".." in plain else plain


def _known_line(line: str, roots: Sequence[str]) -> str:
    """Return a line of `faulthandler` without folders; "" for a line that it does not write."""
    if fault := _FAULT.match(line):
        return f"{fault[1]}: {fault[2].strip()}"
    if thread := _THREAD.match(line):
        return f"{thread[1]}:"
    if frame := _FRAME.fullmatch(line):
        return f"  {_code_file(frame[1], roots)}, line {frame[2]}, in {frame[3]}"
    return ""
