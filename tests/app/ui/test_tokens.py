"""The colours: legible on every ground they are used on."""

import pytest

from app.ui.tokens import DARK, LIGHT, ThemeTokens, contrast

_PAIRS = [
    ("text", "surface"),
    ("text", "canvas"),
    ("text", "accent_soft"),
    ("text", "hover"),
    ("text_muted", "surface"),
    ("text_muted", "canvas"),
    ("text_muted", "sunken"),
    ("text_muted", "accent_soft"),
    ("text_muted", "paper"),
    ("accent_text", "surface"),
    ("accent_text", "accent_soft"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_accent", "accent_pressed"),
    ("credit", "surface"),
    ("credit", "credit_soft"),
    ("credit", "accent_soft"),
    ("credit", "hover"),
    ("warn", "surface"),
    ("warn", "warn_soft"),
    ("accent_text", "warn_soft"),
    ("danger", "surface"),
    ("danger", "canvas"),
    ("danger", "danger_soft"),
]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), _PAIRS)
def test_text_has_enough_contrast(tokens: ThemeTokens, text: str, ground: str) -> None:
    assert contrast(getattr(tokens, text), getattr(tokens, ground)) >= 4.5


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21


def test_both_themes_name_the_same_colours() -> None:
    assert LIGHT.colours().keys() == DARK.colours().keys()
