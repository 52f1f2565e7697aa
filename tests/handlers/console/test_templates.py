"""What templates refer to exists, and nothing in them needs a looser content policy."""

import re

from bot.render import TEMPLATES

PAGES = sorted((TEMPLATES / "console").rglob("*.html"))
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
ICONS = {
    line.strip()
    for line in (TEMPLATES / "icons.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
}


def test_every_icon_is_in_the_sprite() -> None:
    used = {name for text in SOURCES.values() for name in re.findall(r"""(?:icon|empty)\(["']([a-z-]+)["']""", text)}
    used |= {
        name
        for text in (SOURCES["events.html"], SOURCES["actions.html"], SOURCES["thread.html"])
        for table in re.findall(r"\{\{ (\{.*?\})", text) + re.findall(r"icon_name = (\{.*?\})", text)
        for name in re.findall(r': "([a-z-]+)"', table)
    }
    assert used - ICONS == set()


def test_no_script_style_or_handler_stands_in_a_page() -> None:
    for name, text in SOURCES.items():
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), name
        assert not re.search(r"hx-on|hx-vals=.js:|hx-vals=['\"]js:", text), name


def test_every_form_that_changes_something_carries_the_token() -> None:
    for name, text in SOURCES.items():
        if name in {"sign_in.html", "sign_in_code.html"}:
            continue
        for form in re.findall(r'<form[^>]*method="post".*?(?:</form>|\{% endmacro %\})', text, re.DOTALL):
            assert "csrf_field()" in form or "scope()" in form, (name, form[:80])


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, text in SOURCES.items():
        loaded = re.findall(r'(?:src|href|action)="(https?:[^"]*)"', text)
        assert all(url.startswith("https://www.openstreetmap.org/") for url in loaded), (name, loaded)
