"""Several devices at once in the window: the chip, the row's name, each replica in the details, the curve of each GPU."""

from __future__ import annotations

import msgspec
import pytest

from engine.job import Configuration
from engine.result import Latency, Memory, Replica, Track
from engine.scaling import scaled
from gui import text
from gui.models import matrix, row_words
from gui.models.matrix import Axes
from gui.models.run_model import RunModel
from gui.widgets.details_pane import DetailsPane
from gui.widgets.memory_plot import MemoryPlot
from gui.widgets.settings_chips import chip_label
from tests.support.replicas import TWO_GPUS
from tests.support.runs import make_outcome, make_run

ONE, BOTH = Configuration(device="cuda:0", batch_size=8), Configuration(device="cuda:0+cuda:1", batch_size=8)
REPLICAS = tuple(
    Replica(device=f"cuda:{index}", latency=Latency(count=50, visits=1, p50_ms=4.0 + index), throughput_per_s=100.0, memory=Memory(device_peak_bytes=1 << 30)) for index in (0, 1)
)
TRACKS = tuple(Track(name=f"gpu{index}_{name}_bytes", unit="B", t_ns=[0, 10**9], values=[1e9, 2e9 + index]) for index in (0, 1) for name in ("memory", "process"))


@pytest.fixture
def model(qapp):
    outcomes = scaled((make_outcome(ONE, throughput_per_s=100.0), make_outcome(BOTH, throughput_per_s=190.0, replicas=REPLICAS, timeline=TRACKS)))
    made = RunModel()
    made.load(make_run(outcomes))
    return made


@pytest.fixture
def english():
    yield
    text.set_language("en")


def test_two_gpus_have_a_chip_for_both_at_once(qapp, english):
    chips = matrix.device_chips(TWO_GPUS)
    assert [chip.value for chip in chips] == ["auto", "cpu", "cuda:0", "cuda:1", "cuda:0+cuda:1"]
    assert chip_label(chips[-1]) == "all GPUs at once"
    assert "+" not in {chip.value for chip in matrix.device_chips(msgspec.structs.replace(TWO_GPUS, gpus=TWO_GPUS.gpus[:1]))}
    text.set_language("zh")
    assert chip_label(chips[-1]) == "所有 GPU 同时"


def test_the_chip_makes_one_row_of_its_own(qapp):
    cells = matrix.cells(Axes(devices=("cuda:0", "cuda:0+cuda:1")), "state-dict", TWO_GPUS)
    assert [(cell.configuration.device, cell.choice.available) for cell in cells] == [("cuda:0", True), ("cuda:0+cuda:1", True)]
    refused = matrix.cells(Axes(devices=("cuda:0+cuda:1",), batches=("max",)), "state-dict", TWO_GPUS)
    assert [(cell.choice.available, cell.choice.code) for cell in refused] == [(False, "replicas-batch-max")]


def test_precisions_are_those_of_the_devices(qapp):
    chips = matrix.precision_chips(Axes(devices=("cuda:0+cuda:1",)), "state-dict", TWO_GPUS)
    assert chips == matrix.precision_chips(Axes(devices=("cuda:0",)), "state-dict", TWO_GPUS)


def test_names_of_rows(qapp, english):
    assert row_words.short_name(BOTH, (ONE, BOTH)) == "fp32 · b8 · cuda:0+1 at once"
    assert "2 × cpu at once" in row_words.full_name(Configuration(device="cpu+cpu"))
    text.set_language("zh")
    assert row_words.short_name(BOTH, (ONE, BOTH)).endswith("cuda:0+1 同时")


def test_the_details_have_a_line_for_each_replica(qtbot, model, english):
    pane = DetailsPane(model)
    qtbot.addWidget(pane)
    model.select(1)
    assert [name for name, _ in pane.replicas.lines.texts()] == ["cuda:0", "cuda:1"]
    assert pane.replicas.lines.texts()[0][1].split("  ") == ["4.00 ms", "100/s", "1.00 GiB"]
    assert not pane.replicas.isHidden()
    said = [label.text() for label in pane.replicas.sentences.findChildren(type(pane.title)) if label.text()]
    assert any("1.90 times cuda:0 alone" in sentence for sentence in said)
    text.set_language("zh")
    pane.retranslate()
    assert any("1.90 倍" in label.text() for label in pane.replicas.sentences.findChildren(type(pane.title)))
    model.select(0)
    assert pane.replicas.isHidden()


def test_each_gpu_has_its_curve(qtbot, model):
    plot = MemoryPlot(model)
    qtbot.addWidget(plot)
    model.select(1)
    assert [(line.name, line.series[1].tolist()) for line in plot.lines()] == [("cuda:0", [1e9, 2e9]), ("cuda:1", [1e9, 2e9 + 1])]


def test_what_other_rows_showed_comes_with_the_end_of_the_run(qapp, model):
    """The scaling is known when all rows are."""
    from engine.events import JobFinished

    bare = tuple(msgspec.structs.replace(outcome, notes=()) for outcome in model.run.outcomes)
    live = RunModel()
    live.load(msgspec.structs.replace(model.run, outcomes=bare))
    live.apply(JobFinished(model.run, None))
    assert [note.code for note in live.rows[1].outcome.notes] == ["replicas-scaling"]
