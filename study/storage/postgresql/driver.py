"""Refuse the URL of a database server that can't be used, before it is connected to."""

from study.errors import StudyError
from study.text import hidden


def require_driver(url: str) -> None:
    """Refuse a URL that SQLAlchemy can't read, or whose driver is not installed.

    Raises:
        StudyError: Says what is wrong with it; passwords are hidden.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    named = f"storage {hidden(url)}"
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (NoSuchModuleError, AttributeError):
        scheme = url.partition("://")[0]
        raise StudyError(
            f"{named}: {scheme!r} is not a database known here: use a path or sqlite:///study.db"
        ) from None
    except (ArgumentError, ValueError):
        raise StudyError(f"{named}: can't be read as a URL: write sqlite:///study.db") from None
    except ImportError as error:
        raise StudyError(f"{named}: {_remedy(url, error.name or 'its driver')}") from None
    if "@" in f"{parsed.host}{parsed.database}":  # the driver would show what follows
        raise StudyError(f"{named}: has an '@' too many: write %40 for one in a password")


def _remedy(url: str, package: str) -> str:
    if not url.startswith("postgresql"):
        return f"needs the package {package}: pip install {package}"
    written = "" if url.startswith("postgresql+psycopg:") else "write postgresql+psycopg://, and "
    return (
        f"needs the package {package}: {written}run pip install '.[postgres]' in a checkout of "
        "this package"
    )
