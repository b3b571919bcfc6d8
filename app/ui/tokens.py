"""The colours of the light and the dark theme, named by their purpose."""

from dataclasses import asdict, dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ThemeTokens:
    """Colours as `#rrggbb`. Texts have a contrast of 4.5:1 or more on their backgrounds (WCAG AA)."""

    dark: bool
    canvas: str
    surface: str
    sunken: str
    border: str
    border_strong: str
    text: str
    text_muted: str
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_text: str
    on_accent: str
    accent_soft: str
    hover: str
    credit: str
    credit_soft: str
    warn: str
    warn_soft: str
    danger: str
    danger_soft: str
    paper: str
    disabled: str

    def colours(self) -> dict[str, str]:
        """Return the colours by name, for the style sheet."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, str)}


LIGHT: Final = ThemeTokens(
    dark=False,
    canvas="#f5f6f8",
    surface="#ffffff",
    sunken="#f7f8fa",
    border="#e2e5ea",
    border_strong="#c6ccd6",
    text="#14171f",
    text_muted="#5b6475",
    accent="#3b5bdb",
    accent_hover="#3350c8",
    accent_pressed="#2c46b1",
    accent_text="#3350c8",
    on_accent="#ffffff",
    accent_soft="#edf1fe",
    hover="#f3f5f9",
    credit="#0b6e44",
    credit_soft="#e6f6ee",
    warn="#7a4d00",
    warn_soft="#fff3d9",
    danger="#b42318",
    danger_soft="#fdeceb",
    paper="#f4f1ea",
    disabled="#9aa2b1",
)

DARK: Final = ThemeTokens(
    dark=True,
    canvas="#0f1219",
    surface="#181c25",
    sunken="#12161e",
    border="#2a303c",
    border_strong="#434b5b",
    text="#eceef3",
    text_muted="#9aa4b5",
    accent="#7b93ff",
    accent_hover="#8fa3ff",
    accent_pressed="#6b84f5",
    accent_text="#94a8ff",
    on_accent="#0f1219",
    accent_soft="#20284a",
    hover="#1f2430",
    credit="#3ecf8e",
    credit_soft="#12301f",
    warn="#f2c14e",
    warn_soft="#352a10",
    danger="#ff8a80",
    danger_soft="#3b1d1d",
    paper="#232833",
    disabled="#5c6575",
)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, from 1 to 21 (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
