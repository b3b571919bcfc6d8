"""A fake keyring: keyring's API over a dict, which can be made to fail."""

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import PasswordDeleteError


class FakeKeyring(KeyringBackend):
    """`kept` holds the secrets by (service, user); while `trouble` is set every call raises it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.trouble: BaseException | None = None

    @properties.classproperty
    def priority(self) -> float:
        """Below keyring's own stand-in for no keyring: never chosen by itself, though keyring lists it."""
        return -1

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, None where there is none."""
        self._step()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep the secret."""
        self._step()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove the secret. Raises PasswordDeleteError."""
        self._step()
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not found")
        del self.kept[service, username]

    def _step(self) -> None:
        if self.trouble is not None:
            raise self.trouble
