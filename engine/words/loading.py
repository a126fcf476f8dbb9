"""Words for loading: classes and weights, whole modules, exported programs and folders."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # Weights and their class. The hints answer the two mistakes of every tutorial with the lines that work.
    "class-needed": (
        "These are weights without a network: {tensors} tensors, {values_count} values.",
        "这个文件只有权重,没有网络结构:{tensors} 个张量,共 {values_count} 个数值。",
    ),
    "class-needed.hint": (
        "Name the class with --arch file.py:Class, or choose the Python file that defines it. A state dict is no model; in code: "
        "model = Net(); model.load_state_dict(torch.load(path, map_location='cpu', weights_only=True)); model.eval().",
        "请用 --arch file.py:Class 指定类,或选择定义该类的 Python 文件。状态字典不是模型;代码应为:"
        "model = Net(); model.load_state_dict(torch.load(path, map_location='cpu', weights_only=True)); model.eval()。",
    ),
    "class-mismatch": (
        "{name} does not fit the weights: {matching} of {tensors} tensors match. Missing: {missing}. Unexpected: {unexpected}. Shapes that differ: {differing}.",
        "{name} 与权重不匹配:{tensors} 个张量中 {matching} 个匹配。缺少:{missing}。多余:{unexpected}。形状不同:{differing}。",
    ),
    "class-mismatch.hint": (
        "Choose the class that these weights were saved from, or give its arguments. With --allow-missing it runs all the same, what is missing left random.",
        "请选择保存这些权重的类,或提供它的参数。使用 --allow-missing 仍可运行,缺少的权重保持随机值。",
    ),
    "class-refuses": ("{name} refuses the weights: {error}", "{name} 拒绝了这些权重:{error}"),
    "class-refuses.hint": ("Choose the class that these weights were saved from, or give its arguments.", "请选择保存这些权重的类,或提供它的参数。"),
    "weights-missing": ("{n} weights stayed random: accuracy is not shown.", "{n} 个权重保持随机值:不显示精度。"),
    "weights-left-out": ("{n} tensors of the file have no place in this class and were left out.", "文件中有 {n} 个张量在此类中没有位置,已略去。"),
    "weights-not-there": ("{file} has nothing at {place}.", "{file} 的 {place} 处没有内容。"),
    "weights-not-there.hint": ("`python3 main.py inspect FILE` shows where its weights lie.", "`python3 main.py inspect FILE` 会显示权重所在的位置。"),
    # The class file.
    "class-raised": ("{name} could not be built: {error}", "无法构建 {name}:{error}"),
    "class-raised.hint": ("Give its arguments, for example --arch 'file.py:{name}(num_classes=10)'.", "请提供参数,例如 --arch 'file.py:{name}(num_classes=10)'。"),
    "class-no-module": ("{name} made a {type}, not a torch.nn.Module.", "{name} 得到的是 {type},不是 torch.nn.Module。"),
    "class-no-module.hint": ("Name a class, or a function that returns the network.", "请指定一个类,或返回网络的函数。"),
    "class-not-found": ("{where} defines no {name}.", "{where} 中没有定义 {name}。"),
    "class-not-found.hint": ("Check the name after the colon.", "请检查冒号后的名称。"),
    "class-not-executed": (
        "{where} sets {name} on line {line} by a statement that is not executed here.", "{where} 第 {line} 行的语句会设置 {name},但此处不执行该语句。"
    ),
    "class-not-executed.hint": (
        "Only imports, classes, functions and constants of a script are taken. Name the class itself, or put the statement into a function and name that.",
        "此处只取脚本中的导入、类、函数和常量。请直接指定类,或把该语句放进函数并指定该函数。",
    ),
    "class-import-missing": ("{where} needs the package {package}, which is not installed here.", "{where} 需要软件包 {package},此处未安装。"),
    "class-import-missing.hint": (
        "Install it with `pip install {package}` into the Python that runs the model, or choose another Python that has it: --python, or Python in the settings.",
        "请用 `pip install {package}` 安装到运行模型的 Python 中,或选择已安装它的另一个 Python:使用 --python,或设置中的 Python。",
    ),
    "class-import-raised": ("{where} could not be imported: {error}", "无法导入 {where}:{error}"),
    "class-import-raised.hint": ("The traceback is in the details.", "回溯信息见详情。"),
    "name-left-out": (
        "`{name}` is set on line {line} of {file} by a statement that is not executed here.", "`{name}` 由 {file} 第 {line} 行的语句设置,但此处不执行该语句。"
    ),
    "name-left-out.hint": (
        "Of a script only imports, classes, functions and constants are taken, so that no training starts. Hand `{name}` to the class as an argument, "
        "or set it to a constant.",
        "此处只取脚本中的导入、类、函数和常量,以免启动训练。请把 `{name}` 作为参数传给类,或将它设为常量。",
    ),
    # Whole modules.
    "module-class-missing": (
        "{file} is a whole module, and its class {class} of {module} is not here.", "{file} 是完整模块,但此处没有 {module} 中的类 {class}。"
    ),
    "module-class-missing.hint": (
        "Choose the Python file that defines {class} (--arch file.py:{class}), or a Python that has {module}. To be free of the class file, save weights: "
        "torch.save(model.state_dict(), path); then model = {class}(); model.load_state_dict(torch.load(path)).",
        "请选择定义 {class} 的 Python 文件(--arch file.py:{class}),或装有 {module} 的 Python。若不想依赖类文件,请保存权重:"
        "torch.save(model.state_dict(), path);然后 model = {class}(); model.load_state_dict(torch.load(path))。",
    ),
    "module-is-weights": ("{file} holds a dictionary with {tensors} tensors, not a whole module.", "{file} 中是含 {tensors} 个张量的字典,不是完整模块。"),
    "module-is-weights.hint": (
        "Build the class first: model = Net(); model.load_state_dict(torch.load(path)). Here: --arch file.py:Net.",
        "请先构建类:model = Net(); model.load_state_dict(torch.load(path))。在此处:--arch file.py:Net。",
    ),
    "module-is-none": ("{file} holds a {type}, not a torch.nn.Module.", "{file} 中是 {type},不是 torch.nn.Module。"),
    "module-is-none.hint": ("Save the model itself, or its state_dict().", "请保存模型本身或它的 state_dict()。"),
    "object-outdated": (
        "{type} in this file has no `{name}`: it was saved with another version of its class.", "此文件中的 {type} 没有 `{name}`:它是用该类的另一个版本保存的。"
    ),
    "object-outdated.hint": (
        "Choose a Python with the packages it was saved with (--python), or save the weights there: torch.save(model.state_dict(), path).",
        "请选择装有保存时所用软件包的 Python(--python),或在那里保存权重:torch.save(model.state_dict(), path)。",
    ),
    # TorchScript.
    "torchscript-refused": ("{file} is TorchScript that torch cannot open: {error}", "{file} 是 torch 无法打开的 TorchScript:{error}"),
    "torchscript-refused.hint": ("Export it again with this version of torch, or choose the Python it was made with (--python).", "请用当前版本的 torch 重新导出,或选择制作它时所用的 Python(--python)。"),
    "torchscript-operator": ("{file} uses the operator {operator}, which torch does not have by itself.", "{file} 使用了算子 {operator},torch 本身没有该算子。"),
    "torchscript-operator.hint": (
        "Install the package that brings it (`pip install {package}`), or choose another Python that has it (--python).",
        "请安装提供它的软件包(`pip install {package}`),或选择已安装它的另一个 Python(--python)。",
    ),
    # Exported programs.
    "exported-refused": ("{file} is an exported program that torch {torch} cannot open: {error}", "{file} 是 torch {torch} 无法打开的导出程序:{error}"),
    "exported-refused.hint": (
        "Export it again with this torch: torch.export.save(torch.export.export(model, inputs), path); or choose the Python it was made with (--python).",
        "请用当前 torch 重新导出:torch.export.save(torch.export.export(model, inputs), path);或选择制作它时所用的 Python(--python)。",
    ),
    "exported-runs-code": ("{file} does more than compute when it is loaded or run. It reaches: {found}.", "{file} 在加载或运行时不只是计算,还会用到:{found}。"),
    "exported-runs-code.hint": (
        "Load it only if you know who made it: add --trust, and --trust-dangerous '{file}' for what is dangerous.",
        "只有确知来源时才加载:请加上 --trust;若含危险内容,再加上 --trust-dangerous '{file}'。",
    ),
    # Hugging Face folders.
    "transformers-missing": ("{file} is a Hugging Face model, and running it takes the package {package}, which is not installed here.", "{file} 是 Hugging Face 模型,运行它需要软件包 {package},此处未安装。"),
    "transformers-missing.hint": (
        "Install it with `pip install {package}` into the Python that runs the model, or choose another Python that has it: --python, or Python in the settings.",
        "请用 `pip install {package}` 安装到运行模型的 Python 中,或选择已安装它的另一个 Python:使用 --python,或设置中的 Python。",
    ),
    "transformers-broken": ("{file} takes transformers, which cannot be imported here: {error}", "{file} 需要 transformers,但此处无法导入:{error}"),
    "transformers-broken.hint": (
        "Install versions that belong together (`pip install -U transformers`), or choose another Python (--python).",
        "请安装互相匹配的版本(`pip install -U transformers`),或选择另一个 Python(--python)。",
    ),
    "folder-config-unreadable": ("The config.json of {file} cannot be read: {error}", "无法读取 {file} 的 config.json:{error}"),
    "folder-config-unreadable.hint": ("Download or save the folder again.", "请重新下载或保存该文件夹。"),
    "folder-needs-code": ("{file} names the class {name}, which transformers does not have: it wants code of its own.", "{file} 指定的类 {name} 不在 transformers 中:它需要自带的代码。"),
    "folder-needs-code.hint": (
        "Such code is not run here. Open the weights file in the folder with --arch file.py:Class.", "此处不运行这类代码。请用 --arch file.py:Class 打开文件夹中的权重文件。"
    ),
    "folder-refused": ("transformers could not load {name} from {file}: {error}", "transformers 无法从 {file} 加载 {name}:{error}"),
    "folder-refused.hint": ("Compare the files in the folder with those of the model's page, or choose another Python (--python).", "请将文件夹中的文件与模型页面核对,或选择另一个 Python(--python)。"),
}
