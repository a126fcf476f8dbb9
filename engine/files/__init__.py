"""Knows a model file by its bytes: no torch, no unpickling; in a short-lived process of its own where it is asked by the program."""

from __future__ import annotations

from engine.files.child import InspectionProcess, inspect_in_child
from engine.files.inspection import inspect_file, tensor_index
from engine.files.reading import Refused
from engine.files.tensors import TensorEntry

__all__ = ["InspectionProcess", "Refused", "TensorEntry", "inspect_file", "inspect_in_child", "tensor_index"]
