"""The draft of the Add Entry form: the texts as typed, valid or not, and the bills."""

from dataclasses import dataclass

from app.domain.entry import Attachment
from app.domain.text import is_blank


@dataclass(frozen=True, slots=True)
class FormDraft:
    """The form's content, not validated. `direction` is a value of `Direction`; `date` is written out in full
    if it could be parsed."""

    date: str = ""
    amount: str = ""
    direction: str = ""
    category: str = ""
    description: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def empty(self) -> bool:
        """Return whether there is nothing worth keeping; the date and direction alone do not count."""
        texts = (self.amount, self.category, self.description)
        return not self.attachments and all(is_blank(text) for text in texts)
