"""The lines that make a row's inputs, and the call that takes them."""

from __future__ import annotations

from collections.abc import Callable

from engine.job import Configuration, InputSpec

WHOLE = {"fp16": "torch.float16", "bf16": "torch.bfloat16"}
FLOATS = ("float16", "bfloat16", "float32", "float64")


def with_names(specs: tuple[InputSpec, ...]) -> list[tuple[str, InputSpec]]:
    """Inputs that are arrays, each with the name of its variable."""
    arrays = [spec for spec in specs if spec.scalar is None or spec.container]
    return [("x" if len(arrays) == 1 else f"x{number}", spec) for number, spec in enumerate(arrays, 1)]


def call_text(specs: tuple[InputSpec, ...], written: Callable[[str, InputSpec], str] = lambda name, spec: name) -> str:
    """The call of the model with every input in its place; `written` says how an array's variable is passed."""
    variables = {id(spec): written(name, spec) for name, spec in with_names(specs)}
    values = [(spec.name, variables.get(id(spec), repr(spec.scalar))) for spec in specs]
    positional = [value for name, value in values if name is None]
    named = [f"{name}={value}" if name.isidentifier() else f"**{{{name!r}: {value}}}" for name, value in values if name is not None]
    return f"model({', '.join([*positional, *named])})"


def nested(spec: InputSpec, leaf: Callable[[InputSpec], str]) -> str:
    """A tuple, list or dict of what `leaf` writes for its members; of a plain input, that itself."""
    return nested_at(spec, "", lambda each, place: leaf(each))


def nested_at(spec: InputSpec, place: str, leaf: Callable[[InputSpec, str], str]) -> str:
    """The same, where `leaf` is told too how the member is reached from `place`, as source."""
    if not spec.container:
        return repr(spec.scalar) if spec.scalar is not None else leaf(spec, place)
    keys = [part.name or "" for part in spec.parts] if spec.container == "dict" else list(range(len(spec.parts)))
    parts = [nested_at(part, f"{place}[{key!r}]", leaf) for part, key in zip(spec.parts, keys, strict=True)]
    if spec.container == "dict":
        return "{" + ", ".join(f"{key!r}: {text}" for key, text in zip(keys, parts, strict=True)) + "}"
    inner = ", ".join(parts)
    return f"[{inner}]" if spec.container == "list" else f"({inner}{',' * (len(parts) == 1)})"


def tensor_text(spec: InputSpec, configuration: Configuration) -> str:
    """What makes an input, on its device and in its dtype."""
    if spec.container:
        return nested(spec, lambda leaf: tensor_text(leaf, configuration))
    made = data_text(spec, configuration.batch_size) if spec.data_path is not None else _random(spec, shape_text(spec, configuration.batch_size))
    target = [repr(configuration.device)] if configuration.device != "cpu" else []
    target += [WHOLE[configuration.precision]] if spec.dtype in FLOATS and configuration.precision in WHOLE else []
    if spec.memory_format:
        target.append("memory_format=torch.channels_last" + ("_3d" if len(spec.shape) == 5 else ""))
    return f"{made}.to({', '.join(target)})" if target else made


def shape_text(spec: InputSpec, batch_size: int) -> str:
    """The sizes, with the batch put in."""
    return ", ".join(str(batch_size) if size == "B" else str(size) for size in spec.shape)


def _random(spec: InputSpec, shape: str) -> str:
    if spec.dtype == "bool":
        return f"(torch.rand([{shape}]) < 0.5)"
    if spec.dtype == "float32":
        return f"torch.randn([{shape}])"
    if spec.dtype in FLOATS or spec.dtype.startswith("complex"):
        return f"torch.randn([{shape}], dtype=torch.{spec.dtype})"
    low, high = spec.range or (0, 1)
    return f"torch.randint({low}, {high + 1}, [{shape}], dtype=torch.{spec.dtype})"


def data_text(spec: InputSpec, batch_size: int) -> str:
    """The first batch of a file as a tensor."""
    path = str(spec.data_path)
    if path.endswith((".pt", ".pth")):
        return f"torch.load({path!r}, map_location='cpu', weights_only=True)[:{batch_size}]"
    return f"torch.as_tensor({array_text(path, spec.name)}[:{batch_size}])"


def array_text(path: str, name: str | None) -> str:
    """An array read from a file."""
    if not path.endswith(".npz"):
        return f"numpy.load({path!r})"
    return f"numpy.load({path!r})[{name!r}]" if name else f"next(iter(numpy.load({path!r}).values()))"
