"""Words for what cannot exist on a machine, and for cautions about what can."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "checking-machine": ("Checking this machine.", "正在检查本机。"),
    "gpu-name": ("{name}", "{name}"),
    "no-gpu": (
        "Not on this machine: no NVIDIA GPU was found. Use the CPU.",
        "本机无法运行:未找到 NVIDIA GPU。请使用 CPU。",
    ),
    "gpu-but-cpu-torch": (
        "GPU found ({gpu}), but this torch ({torch}) is CPU-only. Run `python3 main.py doctor` for the command that mends it.",
        "找到 GPU({gpu}),但当前 torch({torch})仅支持 CPU。运行 `python3 main.py doctor` 可查看修复命令。",
    ),
    "cuda-error": (
        "Not on this machine: CUDA does not start ({error}). Check the NVIDIA driver with `nvidia-smi`.",
        "本机无法运行:CUDA 无法启动({error})。请用 `nvidia-smi` 检查 NVIDIA 驱动。",
    ),
    "precision-fixed-in-file": (
        "The precision of an ONNX file is fixed in the file. Export the model again in the precision you want.",
        "ONNX 文件的精度已固定在文件中。如需其他精度,请重新导出模型。",
    ),
    "bf16-emulated": (
        "{gpu} has no native bf16: it runs, but slowly. Try fp16.",
        "{gpu} 没有原生 bf16:可以运行,但较慢。可改用 fp16。",
    ),
    "precision-not-native": (
        "This CPU has no native {precision}: it runs, often several times slower than fp32.",
        "此 CPU 没有原生 {precision}:可以运行,但往往比 fp32 慢数倍。",
    ),
    "int8-no-cuda-kernels": (
        "Not on this device: dynamic int8 has no kernels for CUDA in PyTorch. Measure it on the CPU.",
        "此设备无法运行:PyTorch 的动态 int8 没有 CUDA 内核。可在 CPU 上测量。",
    ),
    "int8-needs-fp32": (
        "Dynamic int8 starts from fp32 weights and cannot be combined with {precision}. Choose fp32 for it.",
        "动态 int8 以 fp32 权重为起点,不能与 {precision} 组合。请为它选择 fp32。",
    ),
    "quantization-needs-module": (
        "Dynamic int8 needs a PyTorch module; this file is {kind}. Open the state dict with its class instead.",
        "动态 int8 需要 PyTorch 模块,而此文件是 {kind}。请改用状态字典及其类。",
    ),
    "quantization-no-engine": (
        "Not on this machine: this build of torch has no engine for {quantization}.",
        "本机无法运行:当前 torch 没有 {quantization} 的计算引擎。",
    ),
    "quantization-torchscript": (
        "{quantization} cannot be applied to a TorchScript archive. Open the state dict with its class instead.",
        "{quantization} 无法用于 TorchScript 文件。请改用状态字典及其类。",
    ),
    "backend-missing": (
        "{backend} is not installed. Install it with `pip install {package}`.",
        "未安装 {backend}。可用 `pip install {package}` 安装。",
    ),
    "provider-missing": (
        "This ONNX Runtime has no {provider}. Use the CPU, or install onnxruntime-gpu.",
        "当前 ONNX Runtime 没有 {provider}。请使用 CPU,或安装 onnxruntime-gpu。",
    ),
    "kind-not-run": (
        "{file} is of the kind {kind}: this version recognises it but cannot run it. Save the weights with torch.save(model.state_dict(), ...) and open that.",
        "{file} 是 {kind} 文件:当前版本可以识别,但无法运行。请用 torch.save(model.state_dict(), ...) 保存权重后再打开。",
    ),
    "kind-not-run-here": (
        "This version recognises {kind} files but cannot run them. Save the weights with torch.save(model.state_dict(), ...) and open that.",
        "当前版本可以识别 {kind} 文件,但无法运行。请用 torch.save(model.state_dict(), ...) 保存权重后再打开。",
    ),
    "kind-not-run.hint": (
        "`python3 main.py inspect FILE` says what it holds.",
        "`python3 main.py inspect FILE` 可查看其内容。",
    ),
    "not-known-here": (
        "Not on this machine: {value}. What there is: {known}.",
        "本机没有 {value}。可选:{known}。",
    ),
}
