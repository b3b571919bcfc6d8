"""Ids, versions and codes."""

import re
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.codes import counter_of, document_code, human_code, new_id, next_version
from server.contract import checks

TIMES = st.integers(0, (1 << 48) * 1000 - 1)
NOISE = st.binary(min_size=8, max_size=16)
PREFIXES = st.from_regex(r"[0-9A-Z]{3}", fullmatch=True)
COUNTERS = st.integers(1, 999_999_999)


@given(TIMES, NOISE)
def test_an_id_has_the_bits_of_rfc_9562_version_7(now_us: int, noise: bytes) -> None:
    made = UUID(new_id(now_us, noise))
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == now_us // 1000
    assert made.int & ((1 << 62) - 1) == int.from_bytes(noise[:8], "big") & ((1 << 62) - 1)


def test_the_example_of_rfc_9562_appendix_a6() -> None:
    noise = (0x18C4DC0C0C07398F).to_bytes(8, "big")
    made = new_id(0x017F22E279B0 * 1000 + 799, noise)  # 799 µs: rand_a is 0xcc8 here, random there
    assert made == "017f22e2-79b0-7cc8-98c4-dc0c0c07398f"


@given(TIMES, TIMES, NOISE, NOISE)
def test_ids_sort_by_the_microsecond(one: int, other: int, noise: bytes, more: bytes) -> None:
    if one != other:
        assert (new_id(one, noise) < new_id(other, more)) == (one < other)


@given(TIMES, NOISE)
def test_an_id_is_a_canonical_uuid_to_the_server(now_us: int, noise: bytes) -> None:
    assert checks.is_uuid(new_id(now_us, noise))


@pytest.mark.parametrize(("now_us", "noise"), [(0, b"short"), (-1, bytes(8)), ((1 << 48) * 1000, bytes(8))])
def test_an_id_needs_eight_random_bytes_and_a_time(now_us: int, noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"random bytes|not a time"):
        new_id(now_us, noise)


@given(st.integers(0, 2**60), st.integers(-(2**50), 2**50), st.integers(0, 2**61))
def test_a_version_is_above_what_it_is_based_on(now_us: int, offset_us: int, based_on: int) -> None:
    ver = next_version(now_us, offset_us, based_on)
    assert ver > based_on
    assert ver in {now_us + offset_us, based_on + 1}


def test_codes_have_the_specified_form() -> None:
    assert human_code("0K7", 42) == "0K7-000042"
    assert document_code("0K7-000042", 1) == "K7-000042-1"
    assert counter_of("0K7-000042") == 42


@given(PREFIXES, COUNTERS)
def test_the_counter_can_be_read_from_a_code_and_a_server_accepts_the_code(prefix: str, counter: int) -> None:
    code = human_code(prefix, counter)
    assert counter_of(code) == counter
    assert re.fullmatch(r"[0-9A-Z]{3}-\d{6,9}", code)
    assert len(document_code(code, 20)) <= 16


@pytest.mark.parametrize(
    ("prefix", "counter"), [("0k7", 1), ("0K", 1), ("0K7", 0), ("0K7", 10**9), ("٠K7", 1)]
)
def test_an_invalid_prefix_or_counter_is_refused(prefix: str, counter: int) -> None:
    with pytest.raises(ValueError, match="not a"):
        human_code(prefix, counter)


@pytest.mark.parametrize(("code", "n"), [("0K7-42", 1), ("0K7-000042", 0), ("0K7-000042", 1000), ("", 1)])
def test_a_document_code_needs_an_entry_code_and_a_number(code: str, n: int) -> None:
    with pytest.raises(ValueError, match="no document code"):
        document_code(code, n)


@pytest.mark.parametrize("code", ["", "0K7", "K7-000042-1", "0K7-00004a"])
def test_the_counter_of_an_invalid_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not an entry code"):
        counter_of(code)
