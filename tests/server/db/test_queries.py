"""Named SQL."""

import pytest

from server.db.queries import excuses, load, parse

TEXT = """a word before the first is ignored
-- name: one
-- a comment
select 1
from t; -- kept: it stands behind SQL

-- name: two -- no book: it asks for nothing
select 2;
"""


def test_statements_are_read_by_name_without_their_comments() -> None:
    assert parse(TEXT) == {"one": "select 1\nfrom t; -- kept: it stands behind SQL", "two": "select 2"}


def test_an_excuse_is_read_from_the_heading() -> None:
    assert excuses(TEXT) == {"two": "it asks for nothing"}


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="one"):
        parse(TEXT + "-- name: one\nselect 3;\n")


@pytest.mark.parametrize("package", ["server.auth", "server.documents", "server.entries", "server.journal"])
def test_every_room_has_its_statements(package: str) -> None:
    statements = load(package)
    assert statements
    assert all(statement and not statement.endswith(";") for statement in statements.values())
