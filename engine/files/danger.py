"""Who wants to be imported and called when a pickle is loaded, graded without importing anybody."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable

ALLOWED = "allowed"
"""`torch.load(weights_only=True)` takes it."""
HARMLESS = "harmless"
"""It makes a value or a layer of torch's own and does nothing else."""
UNKNOWN = "unknown"
DANGEROUS = "dangerous"
_ORDER = (ALLOWED, HARMLESS, UNKNOWN, DANGEROUS)

_KINDS = ("Double", "Float", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool", "BFloat16")
_REBUILDS = ("parameter", "parameter_with_state", "qtensor", "tensor", "tensor_v2", "tensor_v3", "sparse_tensor", "meta_tensor_no_storage",
             "nested_tensor", "wrapper_subclass", "device_tensor_from_numpy", "device_tensor_from_cpu_tensor")
_ALLOWED_NAMES = frozenset((
    "collections.OrderedDict", "collections.Counter", "torch.nn.parameter.Parameter", "torch.serialization._get_layout", "torch.Size", "torch.Tensor",
    "torch.device", "_codecs.encode", "builtins.bytearray", "builtins.set", "builtins.complex", "torch._tensor._rebuild_from_type_v2",
    "torch.storage.TypedStorage", "torch.storage.UntypedStorage",
    *(f"torch._utils._rebuild_{name}" for name in _REBUILDS),
    *(f"torch.{place}{kind}{what}" for place in ("", "cuda.") for kind in _KINDS for what in ("Storage", "Tensor")),
    *(f"torch.{place}{kind}Storage" for place in ("", "cuda.") for kind in ("ComplexFloat", "ComplexDouble")),
    *(f"torch.{place}sparse.{kind}Tensor" for place in ("", "cuda.") for kind in _KINDS),
    *(f"torch.{kind}Storage" for kind in ("QInt8", "QUInt8", "QInt32", "QUInt4x2", "QUInt2x4")),
))
_DTYPE = re.compile(r"torch\.(q?u?int\d+(x\d+)?|float\d+(_\w+)?|bfloat16|complex\d+|bool|bits\d+(x\d+)?|per_(tensor|channel)_\w+)$")

_HARMLESS_MODULES = ("torch.nn.modules.", "torch.nn.parameter", "torch.nn.quantized.", "torch.ao.nn.")
_HARMLESS_NAMES = frozenset((
    "collections.defaultdict", "collections.deque", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.frozenset", "builtins.int",
    "builtins.float", "builtins.str", "builtins.bool", "builtins.bytes", "builtins.slice", "builtins.range", "builtins.object",
    "copyreg._reconstructor", "datetime.datetime", "datetime.timedelta", "datetime.date", "datetime.time", "datetime.timezone",
    "pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "argparse.Namespace", "types.SimpleNamespace", "uuid.UUID",
    *(f"pathlib._local.{flavour}Path" for flavour in ("", "Posix", "Windows", "PurePosix", "PureWindows")),
    "decimal.Decimal", "fractions.Fraction", "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "torch.torch_version.TorchVersion", "torch._C.Generator",
))
STAND_INS = _HARMLESS_NAMES - {"copyreg._reconstructor"}
"""Values beside the weights. Weights-only loading of bare weights puts an object that does nothing in the place of each (`engine.worker.loading.stand_ins`)."""
_NEEDS_ARRAYS = "torch._utils._rebuild_device_tensor_from_numpy"
"""Makes a weight of a numpy array, so the array has to be a real one."""
_DANGEROUS_ROOTS = frozenset((
    "os", "posix", "nt", "posixpath", "ntpath", "subprocess", "_posixsubprocess", "sys", "socket", "_socket", "shutil", "runpy", "webbrowser",
    "importlib", "imp", "pty", "ctypes", "_ctypes", "code", "codeop", "commands", "multiprocessing", "_multiprocessing", "concurrent", "asyncio",
    "signal", "tempfile", "http", "httplib", "urllib", "urllib2", "urllib3", "requests", "aiohttp", "httpx", "ssl", "ftplib", "smtplib", "telnetlib",
    "poplib", "imaplib", "xmlrpc", "pdb", "bdb", "timeit", "cProfile", "profile", "trace", "pydoc", "doctest", "pkgutil", "pip", "ensurepip", "venv",
    "setuptools", "distutils", "zipimport", "zipfile", "tarfile", "pickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "threading",
    "_thread", "gc", "inspect", "linecache", "fileinput", "glob", "mmap", "resource", "fcntl", "platform", "site", "sysconfig", "antigravity",
    "idlelib", "lib2to3", "test", "unittest", "_pyrepl", "io", "_io", "sqlite3", "joblib", "psutil", "paramiko", "fabric", "invoke", "winreg",
    "_winapi", "msvcrt", "operator", "_operator", "_osx_support", "_aix_support", "compileall", "py_compile", "faulthandler", "atexit",
))
_DANGEROUS_NAMES = frozenset((
    *(f"builtins.{name}" for name in (
        "eval", "exec", "getattr", "setattr", "delattr", "open", "compile", "__import__", "breakpoint", "input", "globals", "locals", "vars", "apply",
        "execfile", "type", "map", "filter", "help", "memoryview", "dir", "print")),
    "types.CodeType", "types.FunctionType", "types.MethodType", "types.LambdaType", "types.new_class", "numpy.load", "numpy.save", "numpy.fromfile",
    "numpy.loadtxt", "numpy.genfromtxt", "numpy.memmap", "pandas.read_pickle", "pandas.eval", "torch.load", "torch.save", "torch.serialization.load",
    "torch.jit.load", "torch.hub.load", "torch._dynamo.guards.GuardBuilder.get", "logging.FileHandler", "logging.config.listen", "?.?",
))
_DANGEROUS_PARTS = ("torch.hub", "torch.utils.cpp_extension", "torch.utils.collect_env", "torch._inductor", "torch._dynamo", "torch.distributed.rpc",
                    "torch.utils._config_module", "torch.ops", "torch._ops", "torch.classes", "torch._classes", "torch.package", "torch.utils.bottleneck",
                    "torch.utils.data.datapipes.utils.decoder", "torch.jit.unsupported_tensor_ops", "torch.fx.experimental.symbolic_shapes",
                    "numpy.f2py", "numpy.testing", "numpy.distutils", "numpy.ctypeslib", "numpy.lib", "logging.config", "torch.testing")
_PLAIN = re.compile(r"[A-Za-z_]\w*$")


def grade(module: str, name: str) -> str:
    """How far one global may be trusted: `allowed`, `harmless`, `unknown` or `dangerous`."""
    qualified, root = f"{module}.{name}", module.split(".", 1)[0]
    if root in _DANGEROUS_ROOTS or qualified in _DANGEROUS_NAMES or _within(module, _DANGEROUS_PARTS):
        return DANGEROUS
    if not _PLAIN.match(name):
        return DANGEROUS if _reaches_danger(qualified, set(re.split(r"[.\s]", name))) else UNKNOWN
    if qualified in _ALLOWED_NAMES or _DTYPE.match(qualified):
        return ALLOWED
    if qualified in _HARMLESS_NAMES or (module.startswith(_HARMLESS_MODULES) and name[0].isupper()):
        return HARMLESS
    return UNKNOWN


def _reaches_danger(qualified: str, parts: set[str]) -> bool:
    """Whether a name with dots walks into what is dangerous; one with double underscores walks behind the object it names."""
    if parts & _DANGEROUS_ROOTS or parts & {"system", "popen"} or any(part.startswith("__") for part in parts) or not parts - {""}:
        return True
    return qualified in _DANGEROUS_NAMES or _within(qualified.rpartition(".")[0], _DANGEROUS_PARTS)


def _within(module: str, parts: Iterable[str]) -> bool:
    return any(module == part or module.startswith(part + ".") for part in parts)


def grades(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every global that weights-only loading refuses, with its grade; the most dangerous first."""
    graded = {f"{module}.{name}": grade(module, name) for module, name in names}
    order = sorted(graded, key=lambda name: -_ORDER.index(graded[name]))
    return {name: graded[name] for name in order if graded[name] != ALLOWED}


def loads_as_weights(names: Iterable[tuple[str, str]]) -> bool:
    """Whether weights-only loading, with its stand-ins, takes every one of the globals."""
    graded = grades(known := list(names))
    return graded.keys() <= STAND_INS and not (graded and tuple(_NEEDS_ARRAYS.rsplit(".", 1)) in known)


def worst(graded: dict[str, str]) -> str:
    """`none` (nothing, or harmless ones only), `unknown` or `dangerous`."""
    found = set(graded.values())
    return DANGEROUS if DANGEROUS in found else UNKNOWN if UNKNOWN in found else "none"


def second_opinion(names: Iterable[tuple[str, str]]) -> tuple[str, ...] | None:
    """Those of `names` that picklescan calls dangerous; None where picklescan is not installed."""
    try:
        from picklescan.scanner import SafetyLevel, scan_pickle_bytes
    except ImportError:
        return None
    logging.getLogger("picklescan").setLevel(logging.CRITICAL)
    sayable = [(module, name) for module, name in names if "\n" not in module + name]
    # The names alone, as a pickle of nothing else: what the file's own opcodes could do to a scanner cannot happen.
    stream = b"\x80\x02" + b"".join(f"c{module}\n{name}\n0".encode("utf-8", "replace") for module, name in sayable) + b"N."
    found = scan_pickle_bytes(io.BytesIO(stream), "file").globals
    return tuple(sorted(f"{entry.module}.{entry.name}" for entry in found if entry.safety is SafetyLevel.Dangerous))
