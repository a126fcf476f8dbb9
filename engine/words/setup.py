"""Words for setting up, doctor and the command line."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "setup-begin": ("Setting up Model Dyno in {folder}. This is done once.", "正在 {folder} 中安装 Model Dyno,只需一次。"),
    "setup-resume": ("Going on with the set-up that was interrupted.", "继续上次中断的安装。"),
    "setup-update": ("The list of packages changed. Bringing {folder} up to date.", "依赖列表已变化,正在更新 {folder}。"),
    "setup-waiting": ("Another start is setting up at this moment. Waiting for it.", "另一个启动正在安装,等待其完成。"),
    "setup-venv": ("Making the virtual environment", "正在创建虚拟环境"),
    "setup-pip": ("Making pip ready", "正在准备 pip"),
    "setup-asking": ("Asking the package index what is needed", "正在向软件包索引查询所需内容"),
    "setup-plan": ("Packages: {count}, {size} to fetch. PyTorch: {torch}.", "共 {count} 个软件包,需下载 {size}。PyTorch:{torch}。"),
    "setup-plan-unknown": (
        "Packages: {count}, at least {size} to fetch ({unknown} of unknown size). PyTorch: {torch}.",
        "共 {count} 个软件包,至少需下载 {size}(其中 {unknown} 个大小未知)。PyTorch:{torch}。",
    ),
    "setup-nothing": ("All packages are there already.", "所有软件包均已就绪。"),
    "setup-torch-cpu": ("{version}, CPU build, {size}: no NVIDIA driver was found", "{version},CPU 版,{size}:未发现 NVIDIA 驱动"),
    "setup-torch-cpu-plain": ("{version}, CPU build, {size}", "{version},CPU 版,{size}"),
    "setup-torch-cuda": ("{version}, CUDA build, {size} with its CUDA packages, for {gpus} GPU(s)", "{version},CUDA 版,连同 CUDA 软件包共 {size},用于 {gpus} 个 GPU"),
    "setup-torch-index": ("{version}, the build of the package index, {size}", "{version},软件包索引提供的版本,{size}"),
    "setup-torch-there": ("already installed", "已安装"),
    "setup-fetching": ("Fetching {package}", "正在下载 {package}"),
    "setup-unpacking": ("Unpacking, {done} of {count} packages are in place", "正在解包,{count} 个软件包中已就位 {done} 个"),
    "setup-checking": ("Checking what was installed", "正在检查安装结果"),
    "setup-mending": ("Taking off what was half installed: {names}", "移除只装了一半的软件包:{names}"),
    "setup-done": ("Set-up is complete. PyTorch {version} ({build}).", "安装完成。PyTorch {version}({build})。"),
    "build-cpu": ("CPU build", "CPU 版"),
    "build-cuda": ("CUDA {cuda}", "CUDA {cuda}"),
    "setup-apt": ("Installing system packages as root: {command}", "正在以 root 身份安装系统软件包:{command}"),
    "setup-gpu-unused": (
        "A GPU was found, but this PyTorch is the CPU build. To mend it: {command}",
        "发现 GPU,但当前 PyTorch 是 CPU 版。修复命令:{command}",
    ),
    "setup-window-failed": ("No set-up window with {way}: {reason}", "无法用 {way} 显示安装窗口:{reason}"),
    "setup-interrupted": ("Set-up was interrupted.", "安装被中断。"),
    "setup-interrupted.hint": ("Start again: it goes on where it stopped.", "再次启动即可从中断处继续。"),
    "setup-old-python": ("Model Dyno needs Python 3.11 or newer; this is Python {version}.", "Model Dyno 需要 Python 3.11 或更新版本,当前为 Python {version}。"),
    "setup-old-python.hint": ("Install a newer Python and start with it, e.g. python3.11 main.py", "安装较新的 Python 后用它启动,例如 python3.11 main.py"),
    "setup-no-ensurepip": ("This Python ({executable}) cannot make a virtual environment: its ensurepip is missing.", "当前 Python({executable})缺少 ensurepip,无法创建虚拟环境。"),
    "setup-no-ensurepip.hint": ("Run this, then start again: {command}", "运行以下命令后重新启动:{command}"),
    "setup-venv-failed": ("The virtual environment in {folder} could not be made: {reason}", "无法在 {folder} 中创建虚拟环境:{reason}"),
    "setup-venv-failed.hint": ("Remove {folder} and start again.", "删除 {folder} 后重新启动。"),
    "setup-unwritable": ("{folder} cannot be written: {reason}", "无法写入 {folder}:{reason}"),
    "setup-unwritable.hint": ("Copy the program to a folder of your own and start it there.", "把程序复制到自己的文件夹中再启动。"),
    "setup-pip-failed": ("Installing the packages failed: {reason}", "安装软件包失败:{reason}"),
    "setup-pip-failed.hint": ("What pip said is in {log}. Start again to retry.", "pip 的输出见 {log}。再次启动即可重试。"),
    "setup-disk-full": ("The disk is full: {folder} could not be filled.", "磁盘已满:无法写入 {folder}。"),
    "setup-disk-full.hint": ("Make room and start again: it goes on where it stopped.", "腾出空间后再次启动,会从中断处继续。"),
    "setup-no-network": ("The package index cannot be reached.", "无法连接软件包索引。"),
    "setup-no-network.hint": (
        "Check the connection, or name a mirror with PIP_INDEX_URL, and start again. Details: {log}",
        "检查网络,或用 PIP_INDEX_URL 指定镜像,然后再次启动。详情:{log}",
    ),
    "setup-no-package": ("The package index does not have what is needed for this Python: {reason}", "软件包索引中没有适合当前 Python 的软件包:{reason}"),
    "setup-no-package.hint": (
        "Start with another Python (3.11 to 3.13), or name another index with PIP_INDEX_URL. Details: {log}",
        "换用其他 Python(3.11 至 3.13),或用 PIP_INDEX_URL 指定其他索引。详情:{log}",
    ),
    "setup-cuda-refused": (
        "PyTorch's CPU build cannot be reached, and the package index has the CUDA build only ({size}), which this machine without an NVIDIA driver cannot use.",
        "无法获取 PyTorch 的 CPU 版,而软件包索引只有 CUDA 版({size}),本机没有 NVIDIA 驱动,用不上它。",
    ),
    "setup-cuda-refused.hint": (
        "Name a mirror of {index} in MODEL_DYNO_TORCH_INDEX and start again; MODEL_DYNO_TORCH_INDEX=default takes the CUDA build all the same.",
        "在 MODEL_DYNO_TORCH_INDEX 中指定 {index} 的镜像后重新启动;若仍要安装 CUDA 版,设为 MODEL_DYNO_TORCH_INDEX=default。",
    ),
    "setup-no-torch": ("PyTorch is not in {folder} after the installation.", "安装后 {folder} 中没有 PyTorch。"),
    "setup-no-torch.hint": ("Remove {folder} and start again.", "删除 {folder} 后重新启动。"),
    "setup-missing-libraries": ("The window needs system libraries that are missing: {names}.", "窗口需要的系统库缺失:{names}。"),
    "setup-missing-libraries.hint": ("Run this, then start again: {command}", "运行以下命令后重新启动:{command}"),
    "setup-missing-libraries-elsewhere": ("The window needs system libraries that are missing: {names}.", "窗口需要的系统库缺失:{names}。"),
    "setup-missing-libraries-elsewhere.hint": (
        "Install the packages of your system that bring them, then start again. Without a window: python3 main.py profile --demo",
        "用系统的软件包管理器安装提供这些库的软件包,然后重新启动。无需窗口时可用:python3 main.py profile --demo",
    ),
    "setup-missing-programs": ("The tests need programs that are missing: {names}.", "测试所需的程序缺失:{names}。"),
    "setup-missing-programs.hint": ("Run this, then start again: {command}", "运行以下命令后重新启动:{command}"),
    "setup-apt-failed": ("System packages could not be installed: {reason}", "系统软件包安装失败:{reason}"),
    "setup-apt-failed.hint": ("Run it yourself to see why: {command}", "请自行运行以查看原因:{command}"),
    "setup-no-display": ("There is no display for the window: {reason}.", "没有可用于显示窗口的显示器:{reason}。"),
    "setup-no-display.hint": (
        "Without a window, the same is measured by: python3 main.py profile --demo   (or profile FILE)",
        "无需窗口也能完成同样的测量:python3 main.py profile --demo   (或 profile 文件)",
    ),
    "display-unset": ("neither DISPLAY nor WAYLAND_DISPLAY is set", "DISPLAY 与 WAYLAND_DISPLAY 均未设置"),
    "display-refused": ("{display} does not let us in ({reason})", "{display} 拒绝连接({reason})"),
    "main-unknown-option": ("{option} is no option of main.py.", "main.py 没有选项 {option}。"),
    "main-unknown-option.hint": ("python3 main.py --help lists what there is.", "python3 main.py --help 会列出所有用法。"),
    "main-later": ("The command {command} is not part of this version.", "此版本尚不包含命令 {command}。"),
    "main-later.hint": ("python3 main.py profile FILE measures one model now.", "现在可用 python3 main.py profile 文件 测量一个模型。"),
    "main-no-folder": ("The current folder is gone, so {file} cannot be found in it.", "当前文件夹已不存在,无法在其中找到 {file}。"),
    "main-no-folder.hint": ("Change to a folder that exists, or give the whole path.", "切换到存在的文件夹,或给出完整路径。"),
    "main-help": (
        "Model Dyno measures how fast a trained model runs and how much memory it takes.\n\n"
        "python3 main.py [FILE ...]        open the window, with these models loaded\n"
        "python3 main.py inspect FILE      what the file is, without running it\n"
        "python3 main.py profile FILE      measure without a window (--demo: the bundled model)\n"
        "python3 main.py compare A B       two configurations or models in turn, and a verdict\n"
        "python3 main.py report RUN.json -o OUT.html\n"
        "python3 main.py doctor            what this machine can measure, and what is missing\n"
        "python3 main.py --install         put Model Dyno into the system's menu (Linux); --uninstall takes it out\n\n"
        "Each command explains itself with --help. Tests: python3 -m tests",
        "Model Dyno 测量训练好的模型运行有多快、占用多少内存。\n\n"
        "python3 main.py [文件 ...]        打开窗口并载入这些模型\n"
        "python3 main.py inspect 文件      查看文件内容,不运行模型\n"
        "python3 main.py profile 文件      不打开窗口直接测量(--demo:自带示例模型)\n"
        "python3 main.py compare A B       交替测量两个配置或模型,并给出结论\n"
        "python3 main.py report RUN.json -o OUT.html\n"
        "python3 main.py doctor            本机能测量什么、还缺什么\n"
        "python3 main.py --install         把 Model Dyno 加入系统菜单(Linux);--uninstall 移除\n\n"
        "每个命令加 --help 可查看说明。测试:python3 -m tests",
    ),
    "desktop-linux-only": ("Desktop entries exist on Linux only.", "桌面入口仅适用于 Linux。"),
    "desktop-linux-only.hint": ("Start the window with: python3 main.py", "用以下命令打开窗口:python3 main.py"),
    "desktop-unwritable": ("{folder} cannot be written: {reason}", "无法写入 {folder}:{reason}"),
    "desktop-unwritable.hint": ("Point XDG_DATA_HOME at a folder of your own and run it again.", "将 XDG_DATA_HOME 指向自己的文件夹后重新运行。"),
    "desktop-installed": ("Model Dyno is in the system's menu, and opens {suffixes} files.", "Model Dyno 已加入系统菜单,可打开 {suffixes} 文件。"),
    "desktop-removed": ("Model Dyno is out of the system's menu; {count} files were removed.", "Model Dyno 已从系统菜单移除,共删除 {count} 个文件。"),
    "desktop-comment": ("Measure how fast a trained model runs", "测量训练好的模型运行有多快"),
    "desktop-type": ("Trained model", "训练好的模型"),
    "doctor-ok": ("ok     ", "正常   "),
    "doctor-note": ("note   ", "提示   "),
    "doctor-bad": ("missing", "缺失   "),
    "doctor-description": ("What this machine can measure, what is missing and how to get it.", "本机能测量什么、还缺什么、如何补上。"),
    "doctor-fix-torch": ("install PyTorch again, in the build that fits this machine", "按本机情况重新安装合适的 PyTorch"),
    "doctor-index-classes": (
        "index the architectures of torchvision and timm, by which bare weights find their class (minutes, once)",
        "为 torchvision 和 timm 的网络结构建立索引,让只有权重的文件能找到所属的类(需数分钟,只做一次)",
    ),
    "doctor-indexed": ("{library} {version}: {done} of {total} architectures are in the index.", "{library} {version}:索引中有 {total} 个网络结构中的 {done} 个。"),
    "doctor-not-indexed": ("{library} is not installed: nothing to index.", "未安装 {library}:无需建立索引。"),
    "doctor-confined": ("What runs a model's own code is confined. {sentences}", "运行模型自带代码的进程受到限制。{sentences}"),
    "doctor-unconfined": ("What runs a model's own code is not confined in everything. {sentences}", "运行模型自带代码的进程未受到全部限制。{sentences}"),
    "doctor-unconfined-gpu": (
        "What runs a model's own code on a GPU is less confined: its driver does not work otherwise. {sentences}",
        "在 GPU 上运行模型自带代码的进程受到的限制较少,否则其驱动无法工作。{sentences}",
    ),
    "doctor-usage": ("doctor: {problem}.", "doctor:{problem}。"),
    "doctor-usage.hint": ("python3 main.py doctor --help lists its options.", "python3 main.py doctor --help 会列出所有选项。"),
    "doctor-python": ("Python {version} at {executable} on {system}", "Python {version},位于 {executable},系统 {system}"),
    "doctor-torch": ("PyTorch {version} ({build})", "PyTorch {version}({build})"),
    "doctor-cpu": ("CPU: {name}, {cores} physical cores, {memory} of memory", "CPU:{name},{cores} 个物理核心,内存 {memory}"),
    "doctor-onnxruntime": ("ONNX Runtime for .onnx files, with {providers}", "ONNX Runtime 可运行 .onnx 文件,可用 {providers}"),
    "doctor-device": ("{device} can measure: {choices}", "{device} 可测量:{choices}"),
    "doctor-gpu-unused": ("GPU found ({gpus}), but this PyTorch is CPU-only ({torch}).", "发现 GPU({gpus}),但当前 PyTorch 仅支持 CPU({torch})。"),
    "doctor-gpu-unused.hint": ("Run: {command}", "运行:{command}"),
    "doctor-no-qt": ("Qt is not installed: no window; all commands work.", "未安装 Qt:无法打开窗口,但所有命令均可用。"),
    "doctor-qt": ("Qt {version} with all system libraries of the window", "Qt {version},窗口所需的系统库齐全"),
    "doctor-display": ("A display that answers", "显示器可用"),
    "doctor-history": ("Runs cannot be kept in {folder}: {reason}", "无法在 {folder} 中保存运行记录:{reason}"),
    "doctor-history.hint": ("Make that folder writable, or point MODEL_DYNO_HOME at one that is.", "使该文件夹可写,或将 MODEL_DYNO_HOME 指向可写的文件夹。"),
    "doctor-history-fine": ("Runs are kept in {folder}", "运行记录保存在 {folder}"),
}
