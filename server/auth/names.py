"""Names to sign in by: what two spellings of one name have in common, and what a name may be. Pure."""

import unicodedata

from server.contract import checks, limits
from server.contract.errors import FieldError


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common (NFKC, caseless)."""
    return unicodedata.normalize("NFKC", name).casefold()


def guess_key(name: str) -> str:
    """Return by what attempts on `name` are counted, a name that nobody can have included."""
    return name_key(name[: limits.MAX_USER_NAME + 1])


def check_name(name: str) -> list[FieldError]:
    """Check a name to sign in by, and what is kept of it: folded, some letters become several."""
    if not (errors := checks.check_user_name(name)) and len(name_key(name)) > limits.MAX_USER_NAME:
        errors.append(FieldError("userName", "The user name is too long once its letters are spelled out."))
    return errors
