"""The colours of the report can be read, in both themes."""

import re
from importlib.resources import files

import pytest

from tocsin.rules.model import Severity

STYLE = (files("tocsin.pages") / "static" / "tokens.css").read_text("utf-8")
COLOUR = re.compile(r"--([\w-]+): #([0-9a-f]{6});")
THEMES = {
    name: dict(COLOUR.findall(block))
    for name, block in {
        "light": STYLE[STYLE.index(":root {") : STYLE.index("}")],
        "dark": STYLE[STYLE.index(':root[data-theme="dark"]') : STYLE.index("@media")],
        "preferred": STYLE[STYLE.index("@media (prefers") :],
    }.items()
}
TEXTS = [
    *(
        (front, back)
        for front in ("text", "soft", "link")
        for back in ("ground", "surface", "sunk")
    ),
    *(
        (ecosystem, back)
        for ecosystem in ("sigma", "elastic", "panther", "other")
        for back in ("ground", "surface", "sunk")
    ),
    *((f"on-{severity.value}", severity.value) for severity in Severity),
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: str, front: str, back: str) -> float:
    light, dark = sorted(
        (luminance(THEMES[theme][front]), luminance(THEMES[theme][back])), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXTS)
def test_text_has_contrast(theme: str, front: str, back: str) -> None:
    assert contrast(theme, front, back) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("severity", Severity)
def test_bars_stand_out(theme: str, severity: Severity) -> None:
    assert contrast(theme, severity.value, "surface") >= 3


def test_the_dark_theme_is_the_same_whether_chosen_or_preferred() -> None:
    assert THEMES["dark"] == THEMES["preferred"]
    assert set(THEMES["light"]) == set(THEMES["dark"])
