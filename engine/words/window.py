"""What to do, where the command line would name an option: the window's words, which speak of what stands in it."""

from __future__ import annotations

_PYTHON = "the Python box under More settings"
_PYTHON_ZH = "“更多设置”中的 Python 框"
_INSTALL = (
    f"Install it with `pip install {{package}}` into the Python that runs the model, or choose another Python that has it, in {_PYTHON}.",
    f"请用 `pip install {{package}}` 安装到运行模型的 Python 中,或在{_PYTHON_ZH}里选择已安装它的另一个 Python。",
)
_AS_INPUT = ("It can serve as an input: drop it on a row of a model's inputs.", "可以用作输入:把它拖到某个模型的一行输入上。")
_TYPE_INPUTS = ("Type each into the table of inputs, for example B,3,224,224 as its shape.", "请在输入表格中逐个填写,例如形状 B,3,224,224。")
_ONE_EACH = ("Give one row of the table of inputs to each, in order or by name.", "请在输入表格中为每个参数填写一行,按顺序或按名称。")
_TRUST = (
    "Only if you know who made it, open it in a terminal: `python3 main.py profile FILE --trust`.",
    "只有确知来源时,才在终端中打开:`python3 main.py profile FILE --trust`。",
)

_HINTS: dict[str, tuple[str, str]] = {
    # Another Python, or a package that it lacks.
    "class-import-missing": _INSTALL,
    "transformers-missing": _INSTALL,
    "torchscript-operator": (
        f"Install the package that brings it (`pip install {{package}}`), or choose another Python that has it, in {_PYTHON}.",
        f"请安装提供它的软件包(`pip install {{package}}`),或在{_PYTHON_ZH}里选择已安装它的另一个 Python。",
    ),
    "transformers-broken": (
        f"Install versions that belong together (`pip install -U transformers`), or choose another Python in {_PYTHON}.",
        f"请安装互相匹配的版本(`pip install -U transformers`),或在{_PYTHON_ZH}里选择另一个 Python。",
    ),
    "interpreter-lacks": (
        f"Install it with `{{python}} -m pip install {{package}}`, or choose another Python in {_PYTHON}.",
        f"请用 `{{python}} -m pip install {{package}}` 安装,或在{_PYTHON_ZH}里选择另一个 Python。",
    ),
    "no-such-python": (f"Choose the python of an environment in {_PYTHON}, e.g. venv/bin/python.", f"请在{_PYTHON_ZH}里选择某个环境中的 python,例如 venv/bin/python。"),
    "object-outdated": (
        f"Choose a Python with the packages it was saved with, in {_PYTHON}, or save the weights there: torch.save(model.state_dict(), path).",
        f"请在{_PYTHON_ZH}里选择装有保存时所用软件包的 Python,或在那里保存权重:torch.save(model.state_dict(), path)。",
    ),
    "torchscript-refused": (
        f"Export it again with this version of torch, or choose the Python it was made with, in {_PYTHON}.",
        f"请用当前版本的 torch 重新导出,或在{_PYTHON_ZH}里选择制作它时所用的 Python。",
    ),
    "exported-refused": (
        f"Export it again with this torch: torch.export.save(torch.export.export(model, inputs), path); or choose the Python it was made with, in {_PYTHON}.",
        f"请用当前 torch 重新导出:torch.export.save(torch.export.export(model, inputs), path);或在{_PYTHON_ZH}里选择制作它时所用的 Python。",
    ),
    "folder-refused": (
        f"Compare the files in the folder with those of the model's page, or choose another Python in {_PYTHON}.",
        f"请将文件夹中的文件与模型页面核对,或在{_PYTHON_ZH}里选择另一个 Python。",
    ),
    "folder-needs-code": (
        "Such code is not run here. Open the weights file in the folder, and choose the Python file that defines its class.",
        "此处不运行这类代码。请打开文件夹中的权重文件,并选择定义其类的 Python 文件。",
    ),
    # The class.
    "class-needed": (
        "Choose the Python file that defines the class, or drop it here. A state dict is no model; in code: "
        "model = Net(); model.load_state_dict(torch.load(path, map_location='cpu', weights_only=True)); model.eval().",
        "请选择定义该类的 Python 文件,或拖到这里。状态字典不是模型;代码应为:"
        "model = Net(); model.load_state_dict(torch.load(path, map_location='cpu', weights_only=True)); model.eval()。",
    ),
    "class-mismatch": (
        "Choose the class that these weights were saved from, or give its arguments. What does not fit can also be left random: Change class says so.",
        "请选择保存这些权重的类,或提供它的参数。也可以让不匹配的权重保持随机:见“更换类”。",
    ),
    "class-raised": ("Press Change class and give its arguments, for example num_classes=10.", "请点击“更换类”并填写参数,例如 num_classes=10。"),
    "module-class-missing": (
        f"Choose the Python file that defines {{class}}, or a Python that has {{module}}, in {_PYTHON}. To be free of the class file, save weights: "
        "torch.save(model.state_dict(), path); then model = {class}(); model.load_state_dict(torch.load(path)).",
        f"请选择定义 {{class}} 的 Python 文件,或在{_PYTHON_ZH}里选择装有 {{module}} 的 Python。若不想依赖类文件,请保存权重:"
        "torch.save(model.state_dict(), path);然后 model = {class}(); model.load_state_dict(torch.load(path))。",
    ),
    "module-is-weights": (
        "Build the class first: model = Net(); model.load_state_dict(torch.load(path)). Here: choose the Python file that defines it.",
        "请先构建类:model = Net(); model.load_state_dict(torch.load(path))。在此处:选择定义该类的 Python 文件。",
    ),
    "weights-not-there": ("Choose another place on the card, beside Weights taken from.", "请在卡片的“权重取自”处另选一处。"),
    # Inputs.
    "input-batch": ("Set the batch to {works}, or to a multiple of it.", "请把批大小设为 {works} 或其倍数。"),
    "input-none-found": _TYPE_INPUTS,
    "inputs-missing": _TYPE_INPUTS,
    "input-arguments": _ONE_EACH,
    "input-count": _ONE_EACH,
    "input-names": ("Give a row of the table of inputs with its name to each.", "请在输入表格中为每个输入填写一行,并写上名称。"),
    # Files that are no model.
    "file-python": ("Open the weights; then drop this file, or choose it as the one that defines their class.", "请先打开权重文件,再拖入此文件,或把它选作定义其类的文件。"),
    "file-numpy": _AS_INPUT,
    "file-single-tensor": _AS_INPUT,
    # The rest.
    "needs-trust": _TRUST,
    "exported-runs-code": _TRUST,
    "timeout": ("If the model is only slow, measure it in a terminal with a longer limit, --timeout.", "如果模型只是较慢,可在终端中用更长的时限 --timeout 测量。"),
    "program-failed": ("The traceback is in the details.", "回溯信息见详情。"),
}

TABLE: dict[str, tuple[str, str]] = {f"{code}.hint.window": words for code, words in _HINTS.items()}
