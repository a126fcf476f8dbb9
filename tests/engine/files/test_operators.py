"""Names of operators in exported programs: what only computes, and what leads elsewhere."""

from __future__ import annotations

import pytest

from engine.files.danger import DANGEROUS, UNKNOWN, grade
from engine.files.operators import beyond_computing


@pytest.mark.parametrize("target", [
    "torch.ops.aten.conv2d.default", "torch.ops.aten.relu", "torch.ops.higher_order.cond", "torch.ops._c10d_functional.all_reduce.default", "_operator.floordiv",
    "_operator.itemgetter", "math.ceil", "torch.sym_max", "torch._sym_sqrt", "torch.ops.aten.__and__.Tensor", "torch.ops.torchvision.nms.default", "#mine:op", "x",
])
def test_what_only_computes(target):
    """Torch's own operators, arithmetic of Python's, and names that lead nowhere."""
    assert beyond_computing(target) is None


@pytest.mark.parametrize(("target", "name", "graded"), [
    ("torch.ops.load_library", "torch.ops.load_library", DANGEROUS), ("torch.ops.__class__.load_library", "torch.ops.__class__.load_library", DANGEROUS),
    ("torch.ops.import_module", "torch.ops.import_module", DANGEROUS), ("torch.ops.loaded_libraries.add", "torch.ops.loaded_libraries.add", DANGEROUS),
    ("torch.ops.aten.__class__.__base__", "torch.ops.aten.__class__.__base__", DANGEROUS),
    ("torch.ops.aten.from_file.default", "torch.ops.aten.from_file.default", DANGEROUS), ("torch.ops.aten.save", "torch.ops.aten.save", DANGEROUS),
    ("torch.ops.image.write_file.default", "torch.ops.image.write_file.default", DANGEROUS), ("torch.ops.a.b.c.d", "torch.ops.a.b.c.d", DANGEROUS),
    ("_operator.attrgetter", "operator.attrgetter", DANGEROUS), ("_operator.methodcaller", "operator.methodcaller", DANGEROUS),
    ("_operator.call", "operator.call", DANGEROUS), ("torch.load", "torch.load", DANGEROUS), ("torch.hub.load", "torch.hub.load", DANGEROUS),
    ("torch.os.system", "torch.os.system", DANGEROUS), ("torchX.os.system", "torch.os.system", DANGEROUS), ("os.system", "os.system", DANGEROUS),
    ("mathX.__loader__.load_module", "math.__loader__.load_module", DANGEROUS), ("builtins.eval", "builtins.eval", DANGEROUS), ("", "torch.", DANGEROUS),
    ("torch.nn.functional.relu", "torch.nn.functional.relu", UNKNOWN), ("other.thing", "other.thing", UNKNOWN), ("torch.a\nb", "torch.a�b", UNKNOWN),
])
def test_what_leads_elsewhere_is_named_as_what_it_is(target, name, graded):
    """The name is the place that torch would come to, and its grade follows from that."""
    found = beyond_computing(target)
    assert (".".join(found), grade(*found)) == (name, graded)
