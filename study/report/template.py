"""The pages' templates: text in them is escaped, and characters that hide are shown."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from study.report import palette
from study.text import shown

FOLDER = Path(__file__).parent / "templates"


def template(name: str, **helpers: object) -> Template:
    """A page's template; its macros, too, can use the ``helpers``."""
    environment = Environment(
        loader=PackageLoader("study.report"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(helpers)
    return environment.get_template(name)


def style_of(*names: str) -> str:
    """A page's style sheet: the colours, then these files."""
    return palette.css() + "".join(map(source_of, names))


def source_of(name: str) -> str:
    """The text of a style sheet or a script."""
    return (FOLDER / name).read_text(encoding="utf-8")


def script_of(*names: str) -> str:
    """One script of several, each with one task, that share their names."""
    return "".join(['"use strict";\n', *map(source_of, names)])


def csp_hash(text: str) -> str:
    """What a content security policy calls a text between its tags."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
