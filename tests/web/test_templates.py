"""The pages' frames: nothing inline that the content security policy forbids, all modules named."""

import re
from pathlib import Path

import jinja2
import pytest

from .source import LANGUAGES, STATIC, TEMPLATES, catalogue, modules_of, own_scripts

PAGES = [
    "staff/sign-in.html",
    "staff/sign-in-demo.html",
    "staff/invitation.html",
    "staff/app.html",
    "staff/shift-list.html",
    "tv/app.html",
    "lan-refused.html",
]


def render(name: str, language: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    texts = catalogue(language)
    staff = {"id": "1", "name": "<Maria>", "initials": "ME", "what": "x"}
    return environment.get_template(name).render(
        t=lambda key, **values: texts[key].format(**values),
        lang=language,
        static="/static/0",
        boot={"static": "/static/0", "texts": {"x": "</script>"}},
        tenant_name="Norrvika",
        langs=LANGUAGES,
        staff=[staff],
        homes=[{"url": "/tv", "name": "Ingrid"}],
        why="error.lan_start_needed",
        unit_name="Team",
        printed_at="2026-11-23 10:00",
        printed_by="<Maria>",
        units=[{"name": "Team", "phone": "021-1"}],
        papers=[
            {
                "resident": {
                    "name": "<Maria>",
                    "address": "Gatan 1",
                    "phone": "",
                    "to_know": ["x"],
                    "is_protected": False,
                },
                "things": [{"at": "10:00", "what": "Tillsyn", "to_do": ["x"], "who": "<Maria>"}],
            }
        ],
    )


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_renders_in_each_language(name: str, language: str):
    page = render(name, language)
    assert f'<html lang="{language}">' in page
    assert "<Maria>" not in page
    assert "</script>" not in page.split('id="boot">')[-1].split("</script>")[0]


@pytest.mark.parametrize("name", PAGES)
def test_holds_nothing_inline(name: str):
    page = render(name, "sv")
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", page) == []


@pytest.mark.parametrize("path", own_scripts(), ids=lambda path: path.name)
def test_scripts_write_no_style_attribute(path: Path):
    assert re.findall(r"\sstyle=|innerHTML|dangerouslySetInnerHTML", path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("page", "entry"), [("staff/app.html", "staff/main.js"), ("tv/app.html", "tv/main.js")]
)
def test_preloads_every_module_it_needs(page: str, entry: str):
    named = set(re.findall(r'modulepreload" href="/static/0/js/([^"]+)"', render(page, "sv")))
    needed = {str(path.relative_to(STATIC / "js")) for path in modules_of(entry)} - {entry}
    assert named == needed
