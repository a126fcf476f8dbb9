"""The table of inputs: cells become specs and come back, and what cannot be read stays where it was typed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Looking, ModelExamined
from engine.inputs import DTYPES, format_input, parse_input
from engine.job import InputSpec
from engine.words import failure
from gui import text
from gui.models.input_cells import NAME, NUMBER, RANGE, SHAPE, SOURCE, TYPE, type_choices
from gui.models.inputs_model import InputsModel
from gui.models.model_list import ModelList
from tests.support.fake_engine import inspected


@pytest.fixture
def models(qapp):
    made = ModelList()
    made.add("/m.jit")
    made.apply(inspected("/m.jit"))
    return made


@pytest.fixture
def table(models):
    return InputsModel(models)


def give(models, *texts, **changes):
    models.set_inputs(tuple(msgspec.structs.replace(parse_input(each), **changes) for each in texts), edited=False)


def cells(table, row=0):
    return [table.index(row, column).data() for column in range(table.columnCount())]


def write(table, column, typed, row=0):
    return table.setData(table.index(row, column), typed)


def specs(models):
    return [format_input(spec) for spec in models.current.inputs]


@pytest.mark.parametrize(("spec", "shown"), [
    ("x=f32[B,3,224,224]", ["x", "f32", "B,3,224,224", "", "given"]),
    ("ids=i64[B,128]{0..30521}", ["ids", "i64", "B,128", "0..30521", "given"]),
    ("f32[B,3,8,8]:channels_last", ["", "f32", "B,3,8,8", "", "given"]),
    ("16000", ["", "number", "16000", "", "given"]),
    ("h=(f32[1,B,8], f32[1,B,8])", ["h", "tuple", "(f32[1,B,8], f32[1,B,8])", "", "given"]),
    ("{mask: bool[B,8], n: 3}", ["", "dict", "{mask: bool[B,8], n: 3}", "", "given"]),
    ("x=@/data/my file.npy", ["x", "file", "@/data/my file.npy", "", "given"]),
])
def test_every_kind_of_input_is_shown_as_it_is_written(models, table, spec, shown):
    """And its value typed again is the same input."""
    give(models, spec)
    assert cells(table) == shown
    write(table, NAME, "other")
    write(table, NAME, shown[0])
    assert specs(models) == [spec]
    value = shown[2]
    write(table, SHAPE, "B,1" if value != "B,1" else "B,2")
    if not spec.startswith(("x=f32", "ids", "f32")):
        write(table, SHAPE, value)
        assert specs(models) == [spec]


@pytest.mark.parametrize(("column", "typed", "expected"), [
    (NAME, "images", "images=f32[B,3]"), (NAME, "", "f32[B,3]"), (SHAPE, "B,4", "x=f32[B,4]"), (SHAPE, "[B,4]", "x=f32[B,4]"), (SHAPE, "B,4,5", "x=f32[B,4,5]"),
    (SHAPE, "i64[B,9]{0..3}", "x=i64[B,9]{0..3}"), (SHAPE, "@/d.npy", "x=@/d.npy"), (SHAPE, "y=f32[2]", "y=f32[2]"), (SHAPE, "(f32[B], 2)", "x=(f32[B], 2)"),
    (TYPE, "f16", "x=f16[B,3]"), (TYPE, NUMBER, "x=1"),
])
def test_a_cell_changes_its_part_of_the_input(models, table, column, typed, expected):
    """The rest stays; it is the user's own from then on."""
    give(models, "x=f32[B,3]", source="declared", ran=True)
    assert write(table, column, typed)
    assert specs(models) == [expected]
    (spec,) = models.current.inputs
    assert (spec.source, spec.ran, models.current.inputs_edited) == ("given", False, True)


def test_integers_have_a_range(models, table):
    """It can be set, changed and taken away; a float has none."""
    give(models, "i64[B,8]", "f32[B]")
    assert table.has_ranges()
    write(table, RANGE, "0..99")
    write(table, TYPE, "i32")
    assert specs(models)[0] == "i32[B,8]{0..99}"
    write(table, RANGE, "")
    assert specs(models)[0] == "i32[B,8]" and not table.flags(table.index(1, RANGE)) & table.flags(table.index(0, RANGE)).ItemIsEditable


def test_a_chinese_keyboard_is_understood(models, table):
    """Full-width punctuation."""
    give(models, "f32[B,3]")
    write(table, SHAPE, "B，3，8")
    assert specs(models) == ["f32[B,3,8]"]


@pytest.mark.parametrize(("column", "typed"), [(SHAPE, "B,-1"), (SHAPE, "f99[B]"), (SHAPE, "(f32[B]"), (SHAPE, ""), (NAME, "a b"), (TYPE, "f99"), (RANGE, "9..1"), (RANGE, "x")])
def test_what_cannot_be_read_stays_with_its_reason(models, table, column, typed, qtbot):
    """The model is as it was; corrected, it counts."""
    give(models, "i64[B,3]{0..5}")
    with qtbot.waitSignal(table.edited):
        assert not write(table, column, typed)
    assert specs(models) == ["i64[B,3]{0..5}"] and table.bad is not None and cells(table)[column] == typed
    said = table.line_of(0)
    text.set_language("zh")
    try:
        assert said and table.line_of(0) != said
    finally:
        text.set_language("en")
    assert write(table, SHAPE, "B,4") and table.bad is None and specs(models) == ["i64[B,4]{0..5}"]


def test_rows_are_added_and_taken_away(models, table):
    """A new one counts when its shape is given."""
    assert table.add_row() == table.add_row() == 0
    write(table, NAME, "x")
    write(table, TYPE, "i64")
    assert models.current.inputs == () and cells(table)[:3] == ["x", "i64", ""]
    write(table, SHAPE, "B,5")
    assert specs(models) == ["x=i64[B,5]"] and table.rowCount() == 1
    table.add_row()
    table.remove_row(1)
    assert table.rowCount() == 1
    table.remove_row(0)
    table.remove_row(7)
    assert models.current.inputs == () and table.rowCount() == 0


def test_a_file_becomes_the_data_of_a_row(models, table):
    """It keeps its name."""
    give(models, "x=f32[B,3]", "y=f32[B,3]")
    table.set_file(1, "/d/数据 1.npy")
    assert specs(models) == ["x=f32[B,3]", "y=@/d/数据 1.npy"]


@pytest.mark.parametrize(("changes", "state"), [
    ({"source": "declared"}, "declared"), ({"source": "guessed"}, "guessed"), ({"source": "guessed", "ran": True}, "guessed-ran"), ({"source": "given"}, "given"),
    ({"shape": ("B", "H"), "source": "declared"}, "needs-you"),
])
def test_where_an_input_comes_from(models, table, changes, state):
    """Declared, guessed (ran), or needs you."""
    models.set_inputs((InputSpec(**{"shape": ("B", 3), **changes}),), edited=False)
    assert table.state_of(0) == state and cells(table)[SOURCE] == text.say(f"chip.source.{state}")


def test_a_guess_that_was_refused_needs_you(models, table):
    """While it is being tried it needs nobody."""
    give(models, "f32[B,H]", source="guessed")
    models.apply_looking(Looking("/m.jit", "examined", 0.0))
    assert table.state_of(0) == "guessed"
    refused = failure("input-mismatch", "run-unreadable", {"path": "/x", "cause": "c"})
    models.apply_examined(ModelExamined(path="/m.jit", source=models.current.source(False), inputs=(InputSpec(shape=("B", 4), source="guessed"),), failure=refused))
    assert table.state_of(0) == "needs-you"


def test_another_model_forgets_what_was_typed(models, table):
    """A bad cell and a half-made row belong to the model that they were typed for."""
    give(models, "f32[B,3]")
    write(table, SHAPE, "?")
    table.add_row()
    models.add("/n.jit")
    assert table.bad is None and table.rowCount() == 0


def test_what_arrives_does_not_end_what_is_being_typed(models, table, qtbot):
    """Inputs that were found come above the row that is being made; nothing is built anew, and a bad cell of a row that went is gone."""
    table.add_row()
    with qtbot.assertNotEmitted(table.modelReset), qtbot.waitSignal(table.rowsInserted) as inserted:
        give(models, "f32[B,3]", "f32[B,4]")
    assert inserted.args[1:] == [0, 1] and [cells(table, row)[SHAPE] for row in range(3)] == ["B,3", "B,4", ""]
    with qtbot.assertNotEmitted(table.modelReset), qtbot.waitSignal(table.rowsRemoved) as removed:
        give(models, "f32[B,5]")
    assert removed.args[1:] == [1, 1] and [cells(table, row)[SHAPE] for row in range(2)] == ["B,5", ""]
    table.remove_row(1)
    give(models, "f32[B,3]", "f32[B,4]")
    write(table, SHAPE, "?", row=1)
    give(models, "f32[B,3]")
    assert table.bad is None and table.rowCount() == 1


def test_every_type_can_be_chosen(models, table):
    """And a plain number."""
    for _, value in type_choices():
        give(models, "f32[B,3]")
        assert write(table, TYPE, value) or value == "f32"
    assert len(type_choices()) == len(DTYPES) + 1


@given(st.text(max_size=30), st.sampled_from([NAME, TYPE, SHAPE, RANGE]))
def test_anything_may_be_typed(typed, column):
    """It is read, or it stays with a reason: nothing is raised, and what is read comes back the same."""
    models = ModelList()
    models.add("/m.jit")
    models.apply(inspected("/m.jit"))
    table = InputsModel(models)
    give(models, "x=i64[B,3]")
    if write(table, column, typed):
        assert [format_input(parse_input(each)) for each in specs(models)] == specs(models)
    else:
        assert table.bad is not None and table.line_of(0)
