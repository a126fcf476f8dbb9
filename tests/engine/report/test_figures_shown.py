"""What the page draws of a row: visits, memory's bars, times with what they mean."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from engine.job import Configuration
from engine.report import render
from engine.report.figures_shown import shown_of
from engine.report.labels import Labels
from engine.result import Copies, Latency, Memory, Outputs
from tests.support.runs import make_outcome, make_run

MIB = 1 << 20
GPU = Memory(
    weights_bytes=100 * MIB, inputs_bytes=10 * MIB, context_bytes=500 * MIB, activations_bytes=200 * MIB, workspace_bytes=50 * MIB, cached_bytes=20 * MIB,
    others_bytes=0, driver_bytes=888 * MIB, device_peak_bytes=880 * MIB, device_memory_source="process",
)


def on_gpu(**changes):
    return make_outcome(Configuration(device="cuda:0"), memory=GPU, **changes)


@pytest.fixture(params=["en", "zh"])
def labels(request):
    return Labels(request.param)


def test_each_visit_is_a_mark_with_its_words(labels):
    svg = ET.fromstring(shown_of(make_outcome(Configuration()), labels).visits_svg)
    marks = svg.findall("g")
    assert len(marks) == 5
    assert all("ms" in mark.find("title").text for mark in marks)
    places = [float(mark.find("circle").get("cx")) for mark in marks]
    assert places == sorted(places)
    assert svg.find("rect").get("class") == "interval"


def test_one_visit_or_reduced_samples_have_no_graph(labels):
    outcome = make_outcome(Configuration())
    reduced = msgspec.structs.replace(outcome.samples, reduced_from=1_000_000)
    assert shown_of(msgspec.structs.replace(outcome, samples=reduced), labels).visits_svg == ""
    assert shown_of(msgspec.structs.replace(outcome, samples=None), labels).visits_svg == ""
    assert shown_of(msgspec.structs.replace(outcome, samples=msgspec.structs.replace(outcome.samples, latency_ns="!")), labels).visits_svg == ""


def test_bars_follow_one_another_up_to_the_drivers_figure(labels):
    shown = shown_of(on_gpu(), labels)
    assert len(shown.bars) == 7
    for before, after in zip(shown.bars, shown.bars[1:], strict=False):
        assert after.left == pytest.approx(before.left + before.width)
    assert shown.bars[-1].left + shown.bars[-1].width == pytest.approx(880 / 888 * 100)
    assert "99.1" in shown.sum_line


def test_a_part_that_is_missing_is_named():
    memory = msgspec.structs.replace(GPU, context_bytes=None)
    assert shown_of(make_outcome(Configuration(device="cuda:0"), memory=memory), Labels("en")).sum_line.endswith(": Context.")


def test_times_and_remarks(labels):
    shown = shown_of(on_gpu(
        latency=Latency(count=700, visits=5, p50_ms=1.0), device_latency=Latency(count=700, visits=5, p50_ms=0.95), enqueue_p50_ms=0.9, gpu_busy_ms=0.25,
        copies=Copies(to_device_ms=0.1, from_device_ms=0.1, to_device_bytes=1024, from_device_bytes=1024),
    ), labels)
    assert [value for _, value in shown.times] == ["1.00 ms", "950 µs", "900 µs", "250 µs", "100 µs", "100 µs"]
    assert len(shown.remarks) == 2
    assert shown_of(make_outcome(Configuration()), labels).times == ()


def test_the_page_holds_them_all():
    page = render(make_run((on_gpu(), make_outcome(Configuration()))), "en")
    assert page.count('<svg class="visits"') == 2
    assert page.count('<dl class="fall">') == 1
    assert "Adds up to 99.1 % of the 888 MiB that the driver shows." in page
    assert re.search(r"margin-left: 0\.000%; width: 56\.\d+%", page)


def test_a_row_without_figures_draws_nothing(labels):
    assert shown_of(make_outcome(Configuration(), status="failed"), labels).bars == ()


def test_the_page_says_what_became_of_the_outputs():
    """And names the row by its switches in words, in both languages."""
    outcome = make_outcome(Configuration(options={"mode": "train"}), outputs=Outputs(max_abs_difference=0.4, state_changed=True))
    english, chinese = render(make_run((outcome,))), render(make_run((outcome,)), language="zh")
    assert "differ from those in eval and inference_mode by at most 0.40" in english and "train mode" in english and "mode=train" not in english
    assert "最多相差 0.40" in chinese and "训练模式" in chinese
