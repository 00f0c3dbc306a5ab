"""The colours of pages and figures, on light paper and on dark.

The colours of models and of weights stand 3 : 1 against both papers, text 4.5 : 1 (WCAG 2.2,
success criteria 1.4.11 and 1.4.3). ``tests/report/test_palette.py`` holds them to that, and to
standing apart in grey and for each kind of colour blindness.
"""

INK, MUTED, GRID, PAPER = "#1c1d22", "#5b5e66", "#e2e3e7", "#fefefe"
ORANGE, BLUE, PINK = "#cc7a00", "#0b69b0", "#e64581"
OLIVE, MAGENTA, VIOLET = "#737334", "#d820c8", "#6a35e0"
GREEN, MAUVE = "#2f7d46", "#8b5fa0"  # weights above and below 0

_SHADES = {
    "ink": (INK, "#f0f0f2"),
    "muted": (MUTED, "#a9acb5"),
    "line": (GRID, "#34363d"),
    "paper": (PAPER, "#15161a"),
    "wash": ("#f4f4f6", "#1f2126"),
    "link": ("#0b5c9c", "#7fbcf0"),
    "orange": (ORANGE, "#e8962a"),
    "blue": (BLUE, "#3f97dc"),
    "pink": (PINK, "#e82060"),
    "olive": (OLIVE, "#c2c07a"),
    "magenta": (MAGENTA, "#f8b0f0"),
    "violet": (VIOLET, "#8f73f2"),
    "green": (GREEN, "#57ab70"),
    "mauve": (MAUVE, "#b08bc4"),
}  # name → on light paper, on dark
NAMES = {light: name for name, (light, _) in _SHADES.items()}
DARK = dict(_SHADES.values())  # what a light colour is on dark paper


def css() -> str:
    """The colours as variables of a page: the system's choice, unless ``data-theme`` says it."""
    colours = "".join(
        f" --{name}: light-dark({light}, {dark});" for name, (light, dark) in _SHADES.items()
    )
    return (
        f":root {{ color-scheme: light dark;{colours} }}\n"
        '@media screen { :root[data-theme="light"] { color-scheme: light; }'
        ' :root[data-theme="dark"] { color-scheme: dark; } }\n'
    )


def svg_css(text: str) -> tuple[str, str]:
    """An SVG with variables in place of its colours, and their rules for a file of its own."""
    used = {light: name for light, name in NAMES.items() if light in text}
    for light, name in used.items():
        text = text.replace(light, f"var(--{name})")
    light = "".join(f"--{name}:{colour};" for colour, name in used.items())
    dark = "".join(f"--{name}:{DARK[colour]};" for colour, name in used.items())
    rules = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return text, rules
