"""Operators that an exported program names: torch walks attributes from `torch`, `operator` or `math` to each, so a name may lead anywhere."""

from __future__ import annotations

import re

from engine.files.reading import clean

Name = tuple[str, str]
FILE_OPERATORS = frozenset(("from_file", "save", "load", "load_tensor", "read_file", "write_file"))
"""Operators of torch's own and torchvision's that read or write any file."""
_NO_NAMESPACES = r"_dir|load_library|loaded_libraries|import_module|higher_order"
_COMPUTES = re.compile(
    # `torch.ops.aten.conv2d.default`. Two underscores lead behind the object; what is no namespace loads libraries and modules.
    rf"torch\.ops\.(?!__|(?:{_NO_NAMESPACES})\b)\w+\.(?:(?!__|_dir\b)\w+|__i?(?:and|or|xor|lshift|rshift)__)(?:\.(?!_)\w+)?"
    r"|torch\.ops\.higher_order\.(?!__|_dir\b)\w+|torch\._?sym_(?!_)\w+|math\.(?!_)\w+"
    # attrgetter and methodcaller reach any attribute, and call calls what it finds there; itemgetter only takes an item.
    r"|_operator\.(?!_|(?:attrgetter|methodcaller|call)\b)\w+"
    # An operator of an extension that this Python has registered; a word without a dot is none.
    r"|#[\w.:]+|\w+"
)
_ROOTS = (("_operator", "operator"), ("torch", "torch"), ("math", "math"))


def beyond_computing(target: str) -> Name | None:
    """Module and name of what an operator's name leads to, as `engine.files.danger` grades it; None where that only computes on what it is given."""
    if _COMPUTES.fullmatch(target) and not _is_about_files(target):
        return None
    head, _, rest = target.partition(".")
    # Torch looks at how the name begins, and walks from there what stands behind its first dot.
    root = next((root for beginning, root in _ROOTS if head.startswith(beginning)), head)
    return (clean(root), clean(rest)) if rest else ("torch", clean(target))


def _is_about_files(target: str) -> bool:
    parts = target.split(".")
    return parts[:2] == ["torch", "ops"] and not FILE_OPERATORS.isdisjoint(parts[3:4])
