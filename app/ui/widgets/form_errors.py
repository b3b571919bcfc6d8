"""The errors of a form: each under its field, the others in a banner."""

from collections.abc import Iterable, Mapping

from app.ui.widgets.banner import Banner
from app.ui.widgets.field import Field


def clear_errors(fields: Mapping[str, Field], banner: Banner) -> None:
    """Remove the errors of all fields, except of texts that are too long, and hide the banner."""
    banner.hide()
    for field in fields.values():
        field.clear_error()


def show_errors(fields: Mapping[str, Field], banner: Banner, message: str, errors: Mapping[str, str]) -> None:
    """Show each error under its field, and focus the first; show the others, or `message`, in the banner."""
    placed = {name for name in errors if name in fields and not fields[name].isHidden()}
    for name, field in fields.items():
        field.set_error(errors[name] if name in placed else field.length_error)
    rest = [text for name, text in errors.items() if name not in placed]
    if rest or not errors:
        banner.say(" ".join(rest) or message, "danger")
    focus_first_error(fields.values())


def focus_first_error(fields: Iterable[Field]) -> None:
    """Set the focus to the first field with an error."""
    for field in fields:
        if field.error_text:
            field.focus_target.setFocus()
            return


def length_errors(fields: Mapping[str, Field]) -> dict[str, str]:
    """Return the error of each visible field whose text is too long, by the field's name."""
    return {n: f.length_error for n, f in fields.items() if f.length_error and not f.isHidden()}


def empty_login_fields(address: str, user_name: str, password: str) -> dict[str, str]:
    """Return a sentence for each text that is missing to log in at a server, by the field's name."""
    found = {
        "address": "" if address else "Enter the address of the server.",
        "userName": "" if user_name else "Enter your user name.",
        "password": "" if password else "Enter your password.",
    }
    return {name: text for name, text in found.items() if text}


def name_at(fields: Mapping[str, Field], editor: object) -> str:
    """Return the name of the visible field of `editor`; "" if there is none."""
    names = [name for name, field in fields.items() if field.focus_target is editor and not field.isHidden()]
    return names[0] if names else ""
