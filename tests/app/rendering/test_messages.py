"""Messages between the program and its preview worker."""

import io

import pytest

from app.domain.preview import Part, Refusal
from app.rendering.messages import (
    Refused,
    Release,
    Rendered,
    RenderPage,
    read_answer,
    read_job,
    write_message,
)

JOBS = [RenderPage("/a/ü.pdf", "application/pdf", 3, 800, Part(1.5, -1, 2, 3, 4)), Release()]
PAGE = Rendered(2, 1, 0, 1, 20, 10, "a note")


@pytest.mark.parametrize("job", JOBS)
def test_a_job_arrives_as_it_was_sent(job: RenderPage | Release) -> None:
    pipe = io.BytesIO()
    write_message(pipe, job)
    pipe.seek(0)
    assert read_job(pipe) == job
    assert read_job(pipe) is None


def test_answers_arrive_with_their_pixels() -> None:
    pipe = io.BytesIO()
    write_message(pipe, PAGE, b"12345678")
    write_message(pipe, Refused(Refusal.DAMAGED))
    pipe.seek(0)
    assert read_answer(pipe) == (PAGE, b"12345678")
    assert read_answer(pipe) == (Refused(Refusal.DAMAGED), b"")
    assert read_answer(pipe) is None


def test_a_stream_that_takes_little_at_a_time_gets_everything() -> None:
    class Narrow(io.BytesIO):
        def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
            return super().write(data[:3])

    pipe = Narrow()
    write_message(pipe, PAGE, memoryview(b"12345678"))
    pipe.seek(0)
    assert read_answer(pipe) == (PAGE, b"12345678")


def test_an_answer_that_ends_early_is_none() -> None:
    pipe = io.BytesIO()
    write_message(pipe, PAGE, b"12345678")
    whole = pipe.getvalue()
    assert [read_answer(io.BytesIO(whole[:kept])) for kept in range(len(whole))] == [None] * len(whole)


@pytest.mark.parametrize("size", [(0, 5), (-1, -1), (-3, 2), (1 << 31, 1 << 31), (40_000, 1_000)])
def test_an_answer_of_an_impossible_size_is_none(size: tuple[int, int]) -> None:
    pipe = io.BytesIO()
    write_message(pipe, Rendered(*size, 0, 1, 1, 1), bytes(100))
    pipe.seek(0)
    assert read_answer(pipe) is None


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff" * 9, b"\3\0\0\0abc", b"\1\0\0\0\xc0", b"Warning: it is late"]
)
def test_garbage_is_none(garbage: bytes) -> None:
    assert read_answer(io.BytesIO(garbage)) is None
