"""Wrapper prefixes come off when every name has them, and only then."""

from __future__ import annotations

import pytest

from engine.prefixes import strip


@pytest.mark.parametrize(("names", "prefix", "left"), [
    (["module.a.weight", "module.a.bias"], "module.", ["a.weight", "a.bias"]),
    (["module._orig_mod.model.a"], "module._orig_mod.model.", ["a"]),
    (["module.module.a", "module.module.b"], "module.module.", ["a", "b"]),
    (["module.a", "b"], "", ["module.a", "b"]),
    (["models.a"], "", ["models.a"]),
    ([], "", []),
])
def test_strip(names, prefix, left):
    assert strip(names) == (prefix, left)
    assert strip(iter(names)) == (prefix, left)
