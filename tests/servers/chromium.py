"""Find a Chromium on this machine and say how to start it for tests."""

import os
import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

# No sandbox: tests open only our own pages, often as root. The rest keeps it from looking for hosts on the internet.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
MISSING = "no Chromium: `make test` installs it as root on Debian; else install it or name one with CHROMIUM=/path"


def find_chromium() -> str | None:
    """Return the path of a Chromium: the one named by CHROMIUM, else the first on PATH, else None."""
    named = os.environ.get("CHROMIUM", "")
    found = (shutil.which(program) for program in (named, *PROGRAMS) if program)
    return next((path for path in found if path), None)
