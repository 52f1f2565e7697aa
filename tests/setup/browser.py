"""Install a Chromium and letters for Vietnamese where the machine allows it: python -m tests.setup.browser.

Never fails: without a browser its tests are skipped with a line that says so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.servers.chromium import MISSING, find_chromium

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf")


def missing_packages() -> list[str]:
    """Return the Debian packages that browser tests still need on this machine."""
    packages = [] if find_chromium() else ["chromium"]
    return packages if has_vietnamese_font() else [*packages, "fonts-dejavu-core"]


def has_vietnamese_font() -> bool:
    """Say whether a font with all Vietnamese letters is installed."""
    if shutil.which("fc-list"):
        listing = subprocess.run(["fc-list", ":lang=vi", "family"], capture_output=True, text=True, check=False)
        return bool(listing.stdout.strip())
    return any(next(folder.rglob(font), None) for folder in FONT_FOLDERS for font in FONTS if folder.is_dir())


def install(packages: list[str]) -> bool:
    """Install Debian packages as root; False when one cannot be had."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages])
    for step in steps:
        outcome = subprocess.run(
            ["apt-get", *step], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if outcome.returncode:
            sys.stderr.write(outcome.stderr.strip().rpartition("\n")[2] + "\n")
    return outcome.returncode == 0


def main() -> int:
    """Install what is missing, or say in one line why browser tests will be skipped."""
    packages = missing_packages()
    if not packages:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write(f"Installing {' and '.join(packages)} for the browser tests\n")
        if install(packages):
            return 0
    sys.stderr.write(f"Browser tests lack {' and '.join(packages)}; {MISSING}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
