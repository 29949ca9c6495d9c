"""WCAG contrast of the colour pairs that the pages use, out of tokens.css."""

import re

import pytest

from .source import STATIC

PAIRS = [
    ("ink", "paper", 7),
    ("ink", "canvas", 7),
    ("ink-2", "paper", 7),
    ("ink-2", "canvas", 7),
    ("paper", "spruce", 7),
    ("spruce", "canvas", 4.5),
    ("spruce", "paper", 4.5),
    ("spruce", "spruce-tint", 4.5),
    ("spruce-dark", "spruce-tint", 4.5),
    ("line-strong", "paper", 3),
    ("paper", "alarm", 4.5),
    ("alarm", "alarm-tint", 4.5),
    ("alarm", "paper", 4.5),
    ("alarm", "canvas", 4.5),
    ("ink", "alarm-tint", 7),
    ("warn", "warn-tint", 4.5),
    ("warn", "canvas", 4.5),
    ("ok", "ok-tint", 4.5),
    ("ok", "paper", 4.5),
    ("paper", "ok", 4.5),
    ("ink", "ok-tint", 7),
    ("info", "info-tint", 4.5),
    ("ink", "info-tint", 7),
    ("ink", "warn-tint", 7),
    ("ink", "focus-halo", 7),
    ("ink", "spruce-tint", 7),
    ("ink-2", "spruce-tint", 4.5),
    ("focus", "canvas", 3),
    ("amber", "paper", 3),
    ("moon", "night", 7),
    ("moon-2", "night", 7),
    ("moon", "night-2", 7),
    ("moon-2", "night-2", 7),
    ("moon", "night-3", 7),
    ("moon-2", "night-3", 4.5),
    ("lamp", "night", 7),
    ("lamp", "night-2", 7),
    ("night", "lamp", 7),
    ("night-line", "night", 3),
    ("night-line", "night-2", 3),
    ("rose", "night", 4.5),
    ("rose", "night-2", 4.5),
    ("dim", "black", 4.5),
    ("moon", "answer", 4.5),
    ("moon", "decline", 4.5),
    ("lamp", "answer", 3),
    ("lamp", "decline", 3),
]
TOKENS = dict(
    re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", (STATIC / "css" / "tokens.css").read_text("utf-8"))
)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("text", "ground", "needed"), PAIRS)
def test_colours_stand_out(text: str, ground: str, needed: float):
    dark, light = sorted((luminance(TOKENS[text]), luminance(TOKENS[ground])))
    assert (light + 0.05) / (dark + 0.05) >= needed


def test_styles_use_tokens_only():
    for sheet in (STATIC / "css").glob("*.css"):
        if sheet.name != "tokens.css":
            literals = re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*})", sheet.read_text("utf-8"))
            assert literals == [], sheet.name
