"""`compare` in this process: sides as people write them, exit codes, the last line, what is written."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import comparing, history, verdict
from engine.commands import compare, sides
from engine.commands.options import Refused
from engine.result import Comparison
from tests.support import jobs, nets, schema, spun
from tests.support.command import two_lines
from tests.support.warm import WarmEngine

SPUN = Path(spun.__file__).resolve()
LAST = re.compile(r"(FASTER|SLOWER|SAME|CANNOT-TELL) (\d+\.\d{4}|\?) \[(\d+\.\d{4}|\?), (\d+\.\d{4}|\?)\]")


@pytest.fixture(scope="module", autouse=True)
def servers():
    """The fork servers end with the module."""
    yield
    WarmEngine.close_servers()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of `nets.Linears`."""
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Call it, with rounds of milliseconds: (exit code, lines of standard output, standard error)."""
    plan = msgspec.structs.replace(comparing.PLAN, warm_up_s=0.01, warm_up_limit_s=0.05)
    for module, name, value in (
        (compare, "Engine", WarmEngine), (comparing, "PLAN", plan), (comparing, "BRIEFLY_WARMED", plan), (comparing, "BLOCK_S", 0.004),
        (verdict, "LOOKS", (verdict.Look(3, 0.01), verdict.Look(5, 0.04))),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setenv("MODEL_DYNO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = compare.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out.splitlines(), err

    return call


@pytest.fixture
def linears(command, weights):
    """Two sides of the weights of `nets.Linears`, each with the settings given."""

    def call(a, b, *more):
        return command(*(f"{weights}::{side}" if side else weights for side in (a, b)), "--input", "f32[B,16]", *more)

    return call


def spun_side(share):
    return f"arch={SPUN}:SpunLinears({share})"


def test_the_last_line_is_the_verdict(linears, tmp_path):
    code, out, err = linears("", "batch=2,threads=1", "--arch", f"{jobs.NETS}:Linears", "--json", "run.json", "--report", "page.html", "--samples", "all.npz")
    assert code == 0 and err == ""
    said = LAST.fullmatch(out[-1])
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    found = run["comparison"]
    assert {"verdict", "ratio", "ci95", "blocks", "samples_needed"} <= found.keys()
    assert said[1] == found["verdict"] and float(said[2]) == pytest.approx(found["ratio"], abs=1e-4)
    assert [float(said[3]), float(said[4])] == pytest.approx(found["ci95"], abs=1e-4)
    assert [outcome["configuration"]["batch_size"] for outcome in run["outcomes"]] == [1, 2]
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8") and (tmp_path / "all.npz").exists()
    (kept,) = (tmp_path / "home" / "history").glob("*.json")
    assert history.load_run(kept).comparison.verdict == found["verdict"]


def test_each_side_may_have_a_class_of_its_own_and_slower_may_fail(linears):
    """Exit code 4 with --fail-on-slower, and only when B is slower."""
    plain, slower = spun_side(0.0), spun_side(0.5)
    code, out, _ = linears(plain, slower, "--fail-on-slower", "--no-history")
    assert code == 4 and out[-1].startswith("SLOWER 1.")
    code, out, _ = linears(plain, slower, "--no-history")
    assert code == 0 and out[-1].startswith("SLOWER ")
    code, out, _ = linears(slower, plain, "--fail-on-slower", "--no-history")
    assert code == 0 and out[-1].startswith("FASTER 0.")


def test_its_own_command_line_compares_the_same_again(linears, command, tmp_path):
    linears(spun_side(0.0), spun_side(0.1), "--json", "run.json", "--threads", "1")
    run = json.loads((tmp_path / "run.json").read_bytes())
    words = shlex.split(run["command"])
    assert words[:3] == ["python3", "main.py", "compare"]
    code, _, err = command(*words[3:], "--json", "again.json")
    assert code == 0 and err == ""
    again = json.loads((tmp_path / "again.json").read_bytes())
    for name in ("inputs", "command"):
        assert again[name] == run[name]
    assert [outcome["configuration"] for outcome in again["outcomes"]] == [outcome["configuration"] for outcome in run["outcomes"]]
    assert again["other_model"]["architecture"] == run["other_model"]["architecture"]


def test_a_configuration_against_itself_is_remarked_on(linears):
    _, _, err = linears("", "", "--arch", f"{jobs.NETS}:Linears")
    assert "same configuration" in err


def test_what_dies_makes_no_verdict_and_none_is_ok(linears):
    code, out, err = linears(f"arch={jobs.NETS}:Linears", f"arch={jobs.NETS}:Misbehaving('leave', 60)", "--no-history")
    assert code == 3 and out[-1].startswith("CANNOT-TELL ")
    two_lines(err)


@pytest.mark.parametrize(
    ("a", "b", "more", "word"),
    [
        ("", "batch=1,2", (), "batch"),
        ("", "precision=fp12", (), "fp12"),
        ("speed=9", "", (), "speed"),
        ("", "plan=quick", (), "plan"),
        ("batch", "", (), "batch"),
        ("trust=yes", "", (), "trust"),
        ("", "batch=1,batch=2", (), "batch=2"),
        ("", "batch=0", (), "0"),
        ("", "input=f33[B]", (), "f33"),
        ("", "", ("--precision", "fp32,bf16"), "2 configurations"),
        ("", "", ("--plan", "quick"), "--plan"),
        ("allow-missing", "", (), "allow-missing"),
    ],
)
def test_bad_values_are_two_lines_and_exit_code_2(linears, a, b, more, word):
    code, out, err = linears(a, b, *more)
    assert code == 2 and out == []
    assert word in " ".join(two_lines(err))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_it_takes_two(command, weights, count):
    code, _, err = command(*[weights] * count)
    assert code == 2 and str(count) in two_lines(err)[0]


def test_neither_model_is_written_over(command, weights, tmp_path):
    other = jobs.save(tmp_path, nets.Linears(), "other.pth")
    for target in (weights, other):
        code, _, err = command(weights, other, "--arch", f"{jobs.NETS}:Linears", "--input", "f32[B,16]", "--json", target)
        assert code == 2 and str(target) in two_lines(err)[0]


def test_a_file_that_is_not_there(command, weights):
    code, _, err = command(weights, "gone.pth::batch=2")
    assert code == 2 and "gone.pth" in two_lines(err)[0]


# -- sides -------------------------------------------------------------------------------------------------------------


def test_commas_in_brackets_and_quotes_belong_to_the_value():
    text = "arch=net.py:Net(1, name=\"a,b\"),input=x=f32[B,3,4]{0..2},input=i64[B], batch=8"
    assert sides.split_settings(text) == ["arch=net.py:Net(1, name=\"a,b\")", "input=x=f32[B,3,4]{0..2}", "input=i64[B]", "batch=8"]


def test_a_file_whose_name_has_colons_is_taken_as_it_is(tmp_path):
    path = tmp_path / "a::b.pth"
    assert sides.split_side(str(path)) == (str(tmp_path / "a"), ["b.pth"])
    path.write_bytes(b"")
    assert sides.split_side(str(path)) == (str(path), [])
    assert sides.split_side(f"{path}::batch=8") == (str(path), ["batch=8"])


def test_a_side_wins_over_what_holds_for_both():
    common, a, b = sides.parse_compare(["m.pth::batch=8,input=f32[B,4]", "m.pth", "--batch", "2", "--input", "f32[B,3]", "--threads", "1"])
    assert (a.batch, a.input, a.threads) == ("8", ["f32[B,4]"], "1")
    assert (b.batch, b.input) == ("2", ["f32[B,3]"]) and common.batch == "2"


def test_every_option_of_a_configuration_may_stand_on_a_side():
    known = sides.settings()
    assert {"device", "precision", "quantization", "backend", "batch", "threads", "arch", "input", "weights-at", "allow-missing", "trust"} <= known.keys()
    assert not sides.BOTH & known.keys()


@given(st.text(max_size=60))
def test_whatever_is_written_is_taken_or_refused_in_two_lines(text):
    try:
        _, a, b = sides.parse_compare([f"m.pth::{text}", "m.pth"])
    except Refused as refused:
        assert refused.summary and refused.hint
    else:
        assert a.file and b.file == "m.pth"


def test_what_is_not_known_is_a_question_mark():
    assert compare.verdict_line(Comparison(verdict="CANNOT-TELL", samples_needed=4)) == "CANNOT-TELL ? [?, ?]"
    assert compare.verdict_line(Comparison(verdict="SLOWER", ratio=1.05, ci95=(1.04, 1.06))) == "SLOWER 1.0500 [1.0400, 1.0600]"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("said", verdict.VERDICTS)
def test_every_verdict_has_its_sentence(said, language):
    lines = compare.verdict_sentences(Comparison(verdict=said, ratio=1.05, samples_needed=12 if said == "CANNOT-TELL" else 0), language)
    assert len(lines) == (2 if said == "CANNOT-TELL" else 1) and all(lines)


@pytest.mark.parametrize(("side", "more", "word"), [("batch=max", (), "largest batch"), ("batch=max:75%", (), "largest batch"), ("", ("--idle-gap", "100"), "after a rest")])
def test_what_a_comparison_does_not_do_is_refused(linears, side, more, word):
    code, out, err = linears("", side, "--arch", f"{jobs.NETS}:Linears", *more)
    assert (code, out) == (2, []) and word in two_lines(err)[0]
