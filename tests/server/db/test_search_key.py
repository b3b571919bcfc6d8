"""The search key in SQL equals the one in Python, for every code point in several contexts."""

import unicodedata
from collections.abc import Iterator
from typing import Final, LiteralString

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract.search_key import search_key
from tests.support.examples import examples
from tests.support.postgres import Cluster

# PostgreSQL has no NUL in a text, and UTF-8 no surrogates.
ALL: Final = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code <= 0xDFFF]
_TOGETHER: Final = 64
_DIFFERENT: Final[LiteralString] = """
select n.number from unnest(%s::text[], %s::text[]) with ordinality as n (text, key, number)
where public.bahi_search_key(n.text) is distinct from n.key"""
# At the start, before and after letters, between signs that normalisation puts in order, and at the end.
_CONTEXTS: Final = "{0}ΑΣ a{0}b  क{0} क\u094d{0}\u093c e\u0301{0} {0}"

Connection = psycopg.Connection[tuple[int, ...]]


@pytest.fixture(scope="module")
def connection(cluster: Cluster) -> Iterator[Connection]:
    with cluster.database() as url, psycopg.connect(url, autocommit=True) as opened:
        yield opened


def _different(connection: Connection, texts: list[str]) -> list[int]:
    """Return the positions of the texts whose keys differ."""
    values = (texts, [search_key(text) for text in texts])
    return [number - 1 for (number,) in connection.execute(_DIFFERENT, values)]


def test_every_code_point_has_the_key_of_python(connection: Connection) -> None:
    # Many in one text, because that is quick; then one by one where a text differs. The contexts are for the
    # characters that Python's Unicode knows (an eighth); the key of another one is the character itself.
    texts = [char if unicodedata.category(char) in ("Cn", "Co") else _CONTEXTS.format(char) for char in ALL]
    parts = [slice(first, first + _TOGETHER) for first in range(0, len(ALL), _TOGETHER)]
    unequal = _different(connection, ["|".join(texts[part]) for part in parts])
    left = [position for number in unequal for position in range(*parts[number].indices(len(ALL)))]
    exceptions = [ALL[left[number]] for number in _different(connection, [texts[n] for n in left])]
    # Only what is unassigned in the Unicode of one of them: 135 with Python 3.11 (Unicode 14) and PostgreSQL
    # 18 (Unicode 16), 62 with PostgreSQL 17 (Unicode 15.1).
    known = [
        char for char in exceptions if unicodedata.category(char) != "Cn" and _is_assigned(connection, char)
    ]
    assert [hex(ord(char)) for char in known] == []
    assert len(exceptions) < 200


def _is_assigned(connection: Connection, char: str) -> bool:
    """Return whether PostgreSQL's Unicode knows a character."""
    return connection.execute("select unicode_assigned(%s)::integer", (char,)).fetchone() == (1,)


_SIGNS: Final = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs", "Cn"]),
        st.sampled_from("क़लमकिताब़्ँंः०९५ \t\u00a0\u200d\u200b\u0301éßſςΣİıＡｶﾞ한ㅎｱ゛㈠ﷺ12,.₹"),
    ),
    max_size=40,
)


@settings(
    max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(_SIGNS, min_size=20, max_size=20))
def test_random_texts_have_the_key_of_python(connection: Connection, texts: list[str]) -> None:
    assert [texts[number] for number in _different(connection, texts)] == []


@settings(
    max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(_SIGNS, _SIGNS)
def test_a_word_is_in_the_text_of_an_entry_if_it_is_in_its_key(
    connection: Connection, description: str, category: str
) -> None:
    # These two do not collapse white space, which no word contains.
    one = " ".join(description.split())
    other = " ".join(category.split())
    row = connection.execute(_OF_AN_ENTRY, {"description": one, "category": other}).fetchone()
    assert row is not None
    texts, entry = row
    expected = search_key(f"{one} {other} M7A-000012 1250.00").split()
    assert str(entry).split() == expected
    assert str(texts).split() == expected[:-2]


_OF_AN_ENTRY: Final[LiteralString] = """
select public.bahi_texts_key(%(description)s, %(category)s),
    public.bahi_entry_key(%(description)s, %(category)s, 'M7A-000012', 1250.00)"""


def test_the_key_needs_no_search_path(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = ''")
        rows = connection.execute("select public.bahi_search_key('Cafe\u0301 १२３ ß'), 0").fetchone()
    assert rows == ("cafe 123 ss", 0)
