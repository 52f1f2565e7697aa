"""Read once what every test's application reads anew: the console's files, and the templates of pages and messages.

The console's files are read and squeezed whenever an application is built, a tenth of a short test's time. Compiled
templates are kept in the run's folder, so that workers and the processes they start share them.
"""

import functools

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket

from bot import render
from handlers import static
from tests.servers import run


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, apart by whether translations were installed: the compiler asks."""

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        translated = getattr(environment, "newstyle_gettext", False)
        return super().get_bucket(environment, f"{translated} {name}", filename, source)


def install() -> None:
    """Keep both from now on in this process; the run has to be open."""
    static._read = functools.cache(static._read)
    folder = run.directory() / "templates"
    folder.mkdir(mode=0o700, exist_ok=True)
    render.environment().bytecode_cache = _Compiled(str(folder))
