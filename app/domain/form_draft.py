"""What stands in the Add Entry form before it is saved: texts as typed, right or wrong, and the bills."""

from dataclasses import dataclass

from app.domain.entry import Attachment


@dataclass(frozen=True, slots=True)
class FormDraft:
    """Nothing here is checked; `direction` is a value of `Direction`, `date` is written out in full
    where it was understood."""

    date: str = ""
    amount: str = ""
    direction: str = ""
    category: str = ""
    description: str = ""
    attachments: tuple[Attachment, ...] = ()

    @property
    def empty(self) -> bool:
        """Say whether losing it would lose nothing (the date and the direction alone are nothing)."""
        texts = (self.amount, self.category, self.description)
        return not self.attachments and not any(text.strip() for text in texts)
