"""What doctor says about a machine, from its facts."""

from __future__ import annotations

import pytest

from engine.capabilities import Facts, Gpu
from engine.commands import doctor
from engine.result import Failure
from engine.workers import ConfigurationEnded

CPU = Facts(torch="2.13.0+cpu", cpu_name="A CPU", cores=2, memory_bytes=16_000_000_000, quantized_engines=("fbgemm",), onnxruntime_providers=("CPUExecutionProvider",))


def said(facts):
    return list(doctor.say_facts(facts))


def test_a_gpu_that_torch_cannot_use_is_a_fault_with_its_command():
    (bad,) = [finding for finding in said(Facts(torch="2.13.0+cpu", driver_gpus=("NVIDIA H100",), driver="570")) if finding.level == doctor.BAD]
    assert "NVIDIA H100" in bad.sentence
    assert "CPU-only" in bad.sentence
    assert "python3 main.py doctor --fix-torch" in bad.hint


def test_a_gpu_is_listed_with_what_it_runs():
    facts = Facts(torch="2.13.0+cu126", cuda_build="12.6", gpus=(Gpu(index=0, name="NVIDIA H100", memory_bytes=80_000_000_000, capability=(9, 0)),), driver_gpus=("NVIDIA H100",))
    sentences = [finding.sentence for finding in said(facts) if finding.level == doctor.OK]
    assert any(sentence.startswith("cuda:0 (NVIDIA H100, 80.0 GB) can measure: fp32, fp16, bf16, amp") for sentence in sentences)
    assert any("CUDA 12.6" in sentence for sentence in sentences)


def test_a_cpu_machine_is_well():
    assert all(finding.level != doctor.BAD for finding in said(CPU))
    assert any("cpu can measure: fp32" in finding.sentence for finding in said(CPU))
    assert any("ONNX Runtime" in finding.sentence and finding.level == doctor.OK for finding in said(CPU))


def test_a_missing_runtime_is_named():
    facts = Facts(torch="2.13.0+cpu", quantized_engines=("fbgemm",))
    assert any("onnxruntime" in finding.sentence for finding in said(facts) if finding.level == doctor.NOTE)


@pytest.fixture
def looks(monkeypatch):
    """Only these findings."""

    def set_(*found):
        monkeypatch.setattr(doctor, "LOOKS", (lambda: found,))

    return set_


def test_the_exit_code_follows_the_faults(looks, capsys):
    looks(doctor.Finding(doctor.OK, "fine"), doctor.Finding(doctor.NOTE, "so so", "try"))
    assert doctor.main([]) == 0
    looks(doctor.Finding(doctor.BAD, "broken", "mend it"))
    assert doctor.main([]) == 1
    assert capsys.readouterr().out == "ok       fine\nnote     so so\n         try\nmissing  broken\n         mend it\n"


def test_a_torch_that_cannot_be_started_is_a_fault(monkeypatch):
    class Broken:
        def __init__(self, **options):
            pass

        def probe(self):
            raise ConfigurationEnded(Failure(code="engine-lost", summary="No worker.", hint="Look here."))

        def close(self):
            pass

    monkeypatch.setattr(doctor, "Engine", Broken)
    assert list(doctor.look_at_engine()) == [doctor.Finding(doctor.BAD, "No worker.", "Look here.")]


def test_a_history_that_cannot_be_written_is_a_fault(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(doctor.storage, "history_folder", lambda: tmp_path / "file" / "history")
    (finding,) = doctor.look_at_history()
    assert finding.level == doctor.BAD
    monkeypatch.setattr(doctor.storage, "history_folder", lambda: tmp_path / "history")
    (finding,) = doctor.look_at_history()
    assert finding.level == doctor.OK
    assert list((tmp_path / "history").iterdir()) == []


def test_an_unknown_option_is_two_lines(capsys):
    assert doctor.main(["--bogus"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.slow
def test_doctor_on_this_machine(capsys):
    assert doctor.main([]) == 0
    assert "cpu can measure: fp32" in capsys.readouterr().out
