"""The page in a real browser, offline: no console error, nothing fetched, charts drawn, switches that work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.report import render
from engine.units import format_ci
from tests.support.chromium import Page, opened
from tests.support.runs import make_model, make_run

HOSTILE = "</script><img src=x onerror=alert(1)>.pth"
DRAWN = "document.documentElement.dataset.drawn === 'true'"
INK = """(name => {{
    const canvases = []; const walk = node => {{ if (node.shadowRoot) walk(node.shadowRoot); if (node.tagName === 'CANVAS') canvases.push(node);
        for (const child of node.children ?? []) walk(child); }};
    walk(document.getElementById('chart-' + name));
    const colours = new Set();
    for (const canvas of canvases) {{ const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) colours.add((data[i] << 16) + (data[i + 1] << 8) + data[i + 2]); }}
    return [...colours];
}})('{name}')"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of a run with every kind of outcome, its model called by a hostile name."""
    file = tmp_path_factory.mktemp("模型 page") / "report.html"
    file.write_text(render(make_run(model=make_model(path=f"/models/{HOSTILE}"), command=HOSTILE)), encoding="utf-8")
    with opened(file, until=DRAWN) as shown:
        yield shown


def _colour(page: Page, name: str) -> int:
    return int(str(page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()")).lstrip("#"), 16)


def _ink(page: Page, chart: str) -> set[int]:
    return set(page.evaluate(INK.format(name=chart)))


def test_it_opens_without_an_error_and_without_the_network(page: Page) -> None:
    """Not a line in the console, no address asked for, nothing of a hostile name run."""
    assert page.errors == []
    assert page.requests == []
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("document.title").startswith(HOSTILE.rsplit("/", 1)[-1]) and HOSTILE in page.text()


def test_the_figure_a_reader_sees_is_the_one_of_the_table(page: Page) -> None:
    """The headline's median is the string that every view shows for that row."""
    latency = make_run().outcomes[2].latency
    assert latency is not None and latency.p50_ci95_ms is not None
    shown = format_ci(latency.p50_ms, *latency.p50_ci95_ms)
    assert page.evaluate("document.getElementById('p50').textContent") == shown
    assert page.evaluate("document.querySelectorAll('#results tbody tr')[2].querySelector('td').textContent") == shown


@pytest.mark.parametrize("chart", ["latency", "distribution", "memory"])
def test_each_chart_draws_each_configuration_in_its_colour(page: Page, chart: str) -> None:
    """The canvas holds the colours of the three rows that were measured."""
    wanted = {_colour(page, f"--series-{slot}") for slot in range(3)}
    page.wait_for(f"({wanted!r}".replace("{", "[").replace("}", "]") + f").every(colour => {INK.format(name=chart)}.includes(colour))")
    if chart == "latency":
        assert _colour(page, "--warm-up") not in wanted


def test_dark_recolours_the_charts_and_the_switch_overrules_the_system(page: Page) -> None:
    """Text of the axes follows the theme: system dark, then switched to light, then back."""
    light = _colour(page, "--text")
    page.set_dark(True)
    page.wait_for(f"{INK.format(name='memory')}.includes({_colour(page, '--text')})")
    dark = _colour(page, "--text")
    assert dark != light
    page.evaluate("document.getElementById('theme').click()")
    assert _colour(page, "--text") == light
    page.wait_for(f"{INK.format(name='memory')}.includes({light})")
    page.evaluate("document.getElementById('theme').click()")
    assert _colour(page, "--text") == dark
    page.set_dark(False)
    page.evaluate("document.getElementById('theme').click()")
    assert _colour(page, "--text") == light


def test_a_chip_hides_its_configuration_in_every_chart(page: Page) -> None:
    """Pressed again it is back."""
    for chart in ("latency", "distribution", "memory"):
        own = _colour(page, "--series-1")
        page.evaluate("document.querySelector('.chip[data-row=\"1\"]').click()")
        page.wait_for(f"!{INK.format(name=chart)}.includes({own})")
        assert page.evaluate("document.querySelector('.chip[data-row=\"1\"]').getAttribute('aria-pressed')") == "false"
        page.evaluate("document.querySelector('.chip[data-row=\"1\"]').click()")
        page.wait_for(f"{INK.format(name=chart)}.includes({own})")


def test_a_row_leads_to_its_details_and_the_code_can_be_copied(page: Page) -> None:
    """A click opens what was folded; the button says that it copied."""
    page.evaluate("document.querySelector('#results a[href=\"#row-0\"]').click()")
    page.wait_for("document.getElementById('row-0').open")
    page.evaluate("document.querySelector('[data-copy=\"code-0\"]').click()")
    page.wait_for("document.querySelector('[data-copy=\"code-0\"]').textContent === 'Copied'")


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_nothing_sticks_out_on_a_narrow_screen(page: Page, width: int) -> None:
    """Only the table scrolls, within its own frame."""
    page.set_width(width)
    page.wait_for(f"document.documentElement.clientWidth === {width}")
    page.wait_for("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_paper_is_light_and_has_nothing_folded(page: Page) -> None:
    """Printing a dark page opens what was folded and draws in light colours; afterwards all is as before."""
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    folded = page.evaluate("document.querySelectorAll('details:not([open])').length")
    dark = _colour(page, "--text")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded and page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    light = _colour(page, "--text")
    assert light != dark
    page.wait_for(f"{INK.format(name='memory')}.includes({light})")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == folded
    assert _colour(page, "--text") == dark


CONTRAST = """(() => {
    const parse = text => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const part = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const behind = node => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; }
        return [255, 255, 255]; };
    const poor = [];
    for (const details of document.querySelectorAll('details')) details.open = true;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const node = text.parentElement;
        if (!text.data.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(node.tagName)) continue;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${text.data.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return poor;
})()"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(page: Page, theme: str) -> None:
    """4.5 : 1 for each text node, in both themes."""
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    assert page.evaluate(CONTRAST) == []
    assert page.errors == []


def test_an_error_in_a_page_is_seen(tmp_path: Path) -> None:
    """The browser behind these tests tells a broken page from a whole one."""
    broken = tmp_path / "broken.html"
    broken.write_text("<img src='https://example.invalid/x.png'><script>console.error('one'); throw new Error('two')</script>", encoding="utf-8")
    with opened(broken) as shown:
        text = " ".join(shown.errors)
        assert "one" in text and "two" in text
        assert shown.requests == ["https://example.invalid/x.png"]
