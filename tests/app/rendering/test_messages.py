"""Messages between the program and its preview worker."""

import io
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.preview import Flaw, Part, PreviewRequest, Refusal
from app.rendering.messages import (
    Refused,
    Release,
    Rendered,
    RenderPage,
    UnaskedAnswerError,
    job_of,
    read_answer,
    read_job,
    write_message,
)

JOBS = [RenderPage("/a/ü.pdf", "application/pdf", 3, 800, Part(1.5, -1, 2, 3, 4)), Release()]
PAGE = Rendered(2, 1, 0, 1, 20, 10, Flaw.END_MISSING)


@pytest.mark.parametrize("job", JOBS)
def test_a_job_arrives_as_it_was_sent(job: RenderPage | Release) -> None:
    pipe = io.BytesIO()
    write_message(pipe, job, number=7)
    pipe.seek(0)
    assert read_job(pipe) == (7, job)
    assert read_job(pipe) is None


def test_answers_arrive_with_their_pixels() -> None:
    pipe = io.BytesIO()
    write_message(pipe, PAGE, b"12345678", number=1)
    write_message(pipe, Refused(Refusal.DAMAGED), number=2)
    pipe.seek(0)
    assert read_answer(pipe, 1) == (PAGE, b"12345678")
    assert read_answer(pipe, 2) == (Refused(Refusal.DAMAGED), b"")
    assert read_answer(pipe, 3) is None


def test_a_stream_that_takes_little_at_a_time_gets_everything() -> None:
    class Narrow(io.BytesIO):
        def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
            return super().write(data[:3])

    pipe = Narrow()
    write_message(pipe, PAGE, memoryview(b"12345678"), number=1)
    pipe.seek(0)
    assert read_answer(pipe, 1) == (PAGE, b"12345678")


def test_an_answer_that_ends_early_is_none() -> None:
    pipe = io.BytesIO()
    write_message(pipe, PAGE, b"12345678", number=1)
    whole = pipe.getvalue()
    assert [read_answer(io.BytesIO(whole[:kept]), 1) for kept in range(len(whole))] == [None] * len(whole)


@pytest.mark.parametrize("size", [(0, 5), (-1, -1), (-3, 2), (1 << 31, 1 << 31), (40_000, 1_000)])
def test_an_answer_of_an_impossible_size_is_none(size: tuple[int, int]) -> None:
    pipe = io.BytesIO()
    write_message(pipe, Rendered(*size, 0, 1, 1, 1), bytes(100), number=1)
    pipe.seek(0)
    assert read_answer(pipe, 1) is None


def _framed(body: bytes) -> bytes:
    return struct.pack("<IQ", len(body), 1) + body


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff" * 14,
        b"Warning: it is late, and the sun has set",
        _framed(b"abc"),
        _framed(b"\xc0"),
        _framed(b"\x82\xa4type\xa8rendered\xa1x" + b"\x91" * 1000 + b"\xc0"),  # nested deeply
        _framed(b"\x82\xa4type\xa7refused\xa6reason\xa2\xff\xfe"),  # a text that is not UTF-8
        _framed(b"\x82\xa4type\xa7refused\xa2\xff\xfe\xa1x"),
        _framed(msgspec.msgpack.encode(Refused(Refusal.DAMAGED)) + bytes(2000)),  # longer than any answer
    ],
)
def test_garbage_is_none(garbage: bytes) -> None:
    assert read_answer(io.BytesIO(garbage), 1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"page": -1},
        {"page": 1},
        {"page": 1 << 63, "pages": (1 << 64) - 1},
        {"pages": 0},
        {"pages": 1 << 31},
        {"page_width": 0},
        {"page_width": (1 << 64) - 1},
        {"page_height": -(1 << 63)},
        {"flaw": "A sentence of the worker."},
        {"flaw": "a" * 1_000_000},
    ],
)
def test_an_answer_with_a_value_out_of_range_is_none(wrong: dict[str, Any]) -> None:
    answer = {"type": "rendered", **msgspec.to_builtins(PAGE), **wrong}
    assert read_answer(io.BytesIO(_framed(msgspec.msgpack.encode(answer)) + bytes(8)), 1) is None


def test_an_answer_to_another_job_is_told_apart() -> None:
    pipe = io.BytesIO()
    write_message(pipe, Refused(Refusal.DAMAGED), number=5)
    assert read_answer(io.BytesIO(pipe.getvalue()), 4) is None
    with pytest.raises(UnaskedAnswerError):
        read_answer(io.BytesIO(pipe.getvalue()), 6)


@pytest.mark.parametrize("number", [-(10**30), -5, 0, 10**30])
def test_a_job_brings_numbers_far_out_of_range_near(number: int) -> None:
    part = Part(2.0, number, number, number, number)
    pipe = io.BytesIO()
    job = job_of(PreviewRequest(Path("a.png"), "image/png", number, number, part))
    write_message(pipe, job)
    pipe.seek(0)
    assert read_job(pipe) == (0, job)
    assert job.edge >= 1
    assert job.page >= 0
