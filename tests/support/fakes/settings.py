"""Settings in a dictionary."""


class FakeSettings(dict[str, str]):
    """Settings in a dictionary."""

    def set(self, key: str, value: str) -> None:
        """Keep `value`."""
        self[key] = value
