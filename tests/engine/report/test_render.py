"""The page of a run: what stands on it, in both languages, and that nothing from outside becomes markup."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.job import PLANS, Configuration, InputSpec
from engine.report import render
from engine.report.labels import TABLE, Labels
from engine.report.page import context_of
from engine.result import Latency, Outcome, Reason, Run, Trust
from engine.units import format_ci
from tests.support.runs import make_model, make_outcome, make_run, make_samples

HOSTILE = "</script><img src=x onerror=alert(1)>.pth"


class Elements(HTMLParser):
    """Every start tag with its attributes, and the visible text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.title = ""
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style", "title"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.text += data
        elif self._inside[-1] == "title":
            self.title += data

    def values(self, tag: str, attribute: str) -> list[str]:
        """All values of an attribute."""
        return [str(attributes[attribute]) for name, attributes in self.tags if name == tag and attribute in attributes]


def test_every_outcome_has_its_row_with_figures_or_a_sentence() -> None:
    """Good, noisy, out of memory, unsupported, failed, cancelled: each says what came of it and what to do."""
    run = make_run()
    seen = Elements(render(run))
    text = " ".join(seen.text.split())
    for outcome in run.outcomes:
        if outcome.latency is not None:
            assert format_ci(outcome.latency.p50_ms, *(outcome.latency.p50_ci95_ms or (None, None))) in text
        if outcome.error is not None:
            assert outcome.error.summary in text and outcome.error.hint in text
    for word in ("out of memory", "not possible here", "failed", "cancelled", "not checked", "noisy", "Try a smaller batch"):
        assert word in text
    assert [f"row-{index}" for index in range(len(run.outcomes))] == [value for value in seen.values("details", "id") if value.startswith("row-")]


def test_a_percentile_below_its_floor_is_a_dash_that_says_what_it_needs() -> None:
    """300 samples carry no p99: it is absent, with the number still needed; it is never 0."""
    page = render(make_run((make_outcome(samples=make_samples(count=300)),)))
    assert "p99 needs 662 samples; there are 300. needs 362 more samples" in page
    assert re.search(r'<td class="n absent"[^>]*>—', page)


def test_the_headline_is_of_the_row_with_the_most_items_a_second() -> None:
    """Or of the row that was asked for, without calling that one the best."""
    run = make_run()
    assert run.outcomes[2].latency is not None and run.outcomes[2].latency.p50_ci95_ms is not None
    best, asked = render(run), render(run, selected=0)
    figure = format_ci(run.outcomes[2].latency.p50_ms, *run.outcomes[2].latency.p50_ci95_ms)
    assert f'id="p50">{figure}<' in best and "most items a second</span>" in best
    assert f'id="p50">{figure}<' not in asked and "most items a second</span>" not in asked


@pytest.mark.parametrize(
    ("second", "words"),
    [((3.9, 0.02), "times as many as"), ((2.02, 0.03), "does not show which of them does more"), ((3.9, None), "small differences mean nothing")],
)
def test_the_verdict_claims_only_what_the_intervals_carry(second: tuple[float, float | None], words: str) -> None:
    """Apart: a factor; overlapping: no winner; one visit: no claim."""
    outcomes = tuple(_outcome(p50, half, Configuration(threads=threads)) for threads, (p50, half) in enumerate(((2.0, 0.02), second), 1))
    text = " ".join(Elements(render(make_run(outcomes))).text.split())
    assert words in text and "2 configurations: 2 measured." in text
    assert ("most items a second" in text) == (words == "times as many as")


def _outcome(p50: float, half: float | None, configuration: Configuration) -> Outcome:
    interval = None if half is None else (p50 - half, p50 + half)
    latency = Latency(count=800, visits=5, p50_ms=p50, p25_ms=p50 * 0.98, p75_ms=p50 * 1.02, p50_ci95_ms=interval, mean_ms=p50, min_ms=p50, max_ms=p50)
    return make_outcome(configuration, latency=latency, throughput_per_s=1000 / p50)


def test_a_run_without_any_figure_still_makes_a_page() -> None:
    """No configuration measured, none at all, or cut off half-way."""
    failed = render(make_run((make_outcome(status="failed"),)))
    assert "No configuration could be measured." in failed and 'id="chart-' not in failed
    assert "No configuration could be measured." in render(make_run((), plan={}, finished=False))
    assert "This run was not finished" in render(make_run((), finished=False))


@pytest.mark.parametrize("name", [HOSTILE, "模型 one.pth", "it's \"quoted\" & <b>.pth", "${alert(1)}{{7*7}}{% raw %}.pth", "lone \udcff.pth"])
def test_no_name_becomes_markup(name: str) -> None:
    """The same elements as for an innocent name, and the name as text in heading and title."""
    innocent, page = Elements(render(_named("plain.pth"))), render(_named(name))
    seen = Elements(page)
    assert [tag for tag, _ in seen.tags] == [tag for tag, _ in innocent.tags]
    assert not [attribute for _, attributes in seen.tags for attribute in attributes if attribute.startswith("on")]
    shown = name.rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
    assert seen.title.startswith(shown) and shown in seen.text
    page.encode("utf-8")


def _named(name: str) -> Run:
    """`name` wherever a string of a run comes from outside."""
    reason = Reason(f"unknown-{name}", {}, name)
    outcome = make_outcome(
        Configuration(device=name, precision=name, quantization=name, backend=name, options={name: name}), log=name, code=name, notes=(reason,), advice=(reason,),
        trust=Trust("noisy", (reason,)), stopped_because=reason,
    )
    failed = make_outcome(Configuration(), status="failed")
    assert failed.error is not None
    error = msgspec.structs.replace(failed.error, summary=name, hint=name, say="", details={"traceback": name, name: [name]})
    return make_run(
        (outcome, msgspec.structs.replace(failed, error=error, log=name)), model=make_model(path=f"/models/{name}", architecture=name, kind=name, dtypes={name: 1}),
        command=name, id=name, created_at=name, inputs=(InputSpec(name=name, data_path=name),),
    )


def test_the_script_of_the_charts_cannot_be_ended_from_within() -> None:
    """Bokeh's JSON holds no character that could end the script element."""
    page = render(make_run())
    data = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None and not re.search(r"[<>&]", data[1])
    assert set(json.loads(data[1])) == {"charts"}


def test_nothing_is_fetched_from_anywhere() -> None:
    """No address in any attribute that loads, and a policy that forbids it besides."""
    seen = Elements(render(make_run()))
    loading = [value for tag in ("script", "img", "link", "iframe", "source", "object") for attribute in ("src", "href", "data") for value in seen.values(tag, attribute)]
    assert loading == []
    assert any("default-src 'none'" in value for value in seen.values("meta", "content"))


def test_tables_can_be_read_aloud() -> None:
    """Headers have a scope, the language is named, and each id stands once."""
    for language, tag in (("en", "en"), ("zh", "zh-Hans")):
        seen = Elements(render(make_run(), language))
        assert seen.values("html", "lang") == [tag]
        assert all("scope" in attributes for name, attributes in seen.tags if name == "th")
        ids = [str(attributes["id"]) for _, attributes in seen.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        named = [str(attributes["aria-labelledby"]) for _, attributes in seen.tags if "aria-labelledby" in attributes]
        assert set(named) <= set(ids)


def test_chinese_is_chinese_with_the_same_numerals() -> None:
    """Sentences of the engine come by code; figures are the same strings."""
    run = make_run()
    english, chinese = (" ".join(Elements(render(run, language)).text.split()) for language in ("en", "zh"))
    for sentence in ("批大小 64 放不进 cuda:0", "未检查", "测量方法", "已测到中位数误差为", "模型前向计算出错"):
        assert sentence in chinese
    figures = re.compile(r"\d[\d,.]* ± [\d,.]+ ms")
    assert figures.findall(english) == figures.findall(chinese) != []


def test_both_languages_take_the_same_values() -> None:
    """No word is missing, and no value is dropped in translation."""
    fields = re.compile(r"{(\w+)}")
    for code, (english, chinese) in TABLE.items():
        assert english and chinese and sorted(fields.findall(english)) == sorted(fields.findall(chinese)), code
    with pytest.raises(ValueError, match="fr"):
        Labels("fr")


def test_the_method_is_the_plan_that_was_used() -> None:
    """Quick says one visit and no interval; standard says how many and when it stops; an unknown plan says so."""
    texts = [html.unescape(render(make_run(plan=plan))) for plan in (msgspec.to_builtins(PLANS["quick"]), msgspec.to_builtins(PLANS["standard"]), {"odd": 1})]
    assert "one visit of 1 s and 64 samples, at most 5 s" in texts[0]
    assert "5 to 12 visits" in texts[1] and "within ±2 %" in texts[1] and "p99 662" in texts[1]
    assert "The plan was not recorded." in texts[2]


def test_long_logs_keep_their_end() -> None:
    """The end is what tells."""
    page = render(make_run((make_outcome(status="failed", log="begin\n" + "x" * 300_000 + "\nthe end"),)))
    assert "the end" in page and "begin\n" not in page and len(page) < 400_000


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12), st.just([]), st.just({}),
    st.dictionaries(st.text(max_size=4), st.integers(-5, 5), max_size=2),
)
BUILTINS: dict[str, Any] = msgspec.to_builtins(make_run((make_outcome(samples=make_samples(count=70, visits=2)), make_outcome(status="failed"))))


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return [at, *(place for key, part in inner if key not in ("t_ns", "values", "source") or at[-1:] != ("timeline",) for place in _places(part, (*at, key)))][:400]


PLACES = [place for place in _places(BUILTINS) if place and not (isinstance(place[-1], int) and "timeline" in place)]


@given(st.sampled_from(PLACES), LEAVES)
@settings(max_examples=50, deadline=None)
def test_whatever_a_run_holds_that_has_the_right_types_can_be_shown(place: tuple[Any, ...], leaf: Any) -> None:
    """A run changed by hand, or by another program: the page is made, or the run is refused when it is read."""
    changed = msgspec.json.decode(msgspec.json.encode(BUILTINS))
    inside = changed
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = leaf
    try:
        run = msgspec.convert(changed, Run)
    except msgspec.ValidationError:
        return
    context_of(run, Labels("zh"))
