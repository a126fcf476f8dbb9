"""Words for memory format, gradients, train mode, and what they do."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "switch-needs-module": (
        "{switch} needs a PyTorch module: a graph of ONNX Runtime has no modes and no gradients.", "{switch} 需要 PyTorch 模块:ONNX Runtime 的计算图没有模式和梯度。",
    ),
    "switch-no-modes": ("A model of kind {kind} has no train mode: its graph was fixed when it was exported.", "{kind} 类型的模型没有训练模式:其计算图在导出时已固定。"),
    "switch-needs-floats": ("{switch} cannot be with {quantization}: its layers have no gradients and no train mode.", "{switch} 不能与 {quantization} 同用:其层没有梯度,也没有训练模式。"),
    "switch-unknown": ("{axis} {value} does not exist.", "{axis} 没有 {value} 这个取值。"),
    "switch-unknown.hint": ("There are: {known}.", "可选:{known}。"),
    "train-batch-one": (
        "Train mode cannot run a batch of one here: {layer} normalises over the batch and needs at least two values in each channel.",
        "训练模式在这里不能用批大小 1:{layer} 按批做归一化,每个通道至少需要两个数值。",
    ),
    "train-batch-one.hint": ("Use eval(), or a batch of two and more.", "请使用 eval(),或使用 2 及以上的批大小。"),
    "no-gradients": ("There is nothing to go backward through: no output of the model has a gradient.", "无法反向传播:模型的输出都没有梯度。"),
    "no-gradients.hint": ("Its parameters are frozen, or its forward turns gradients off. Measure the forward alone.", "其参数已冻结,或前向计算关闭了梯度。请只测量前向计算。"),
    "outputs-same": ("The same outputs as in eval and inference_mode.", "输出与 eval 和 inference_mode 下相同。"),
    "outputs-close": ("Outputs differ from those in eval and inference_mode by at most {difference}.", "输出与 eval 和 inference_mode 下最多相差 {difference}。"),
    "outputs-incomparable": ("Outputs have other shapes or types than in eval and inference_mode.", "输出的形状或类型与 eval 和 inference_mode 下不同。"),
    "outputs-non-finite": (
        "Outputs have infinities or NaN where eval and inference_mode give numbers, or the other way round.", "输出含有无穷大或 NaN,而 eval 和 inference_mode 下是数值,或者相反。",
    ),
    "outputs-unsteady-non-finite": (
        "Two equal calls differ: one has infinities or NaN where the other has numbers. The model draws random numbers (dropout) or changes itself.",
        "两次相同的调用结果不同:一次含有无穷大或 NaN,而另一次是数值。模型使用了随机数(dropout)或改变了自身。",
    ),
    "outputs-unsteady": (
        "Two equal calls differ by up to {difference}: the model draws random numbers (dropout) or changes itself.", "两次相同的调用最多相差 {difference}:模型使用了随机数(dropout)或改变了自身。"
    ),
    "state-rewritten": (
        "The calls rewrote the model's buffers (batch norm's running statistics). Weights saved after this are other weights.",
        "调用改写了模型的缓冲区(批归一化的滑动统计)。此后保存的权重已不是原来的权重。",
    ),
    "backward-included": ("Each call is a forward and a backward of the sum of its outputs; gradients are dropped after it.", "每次调用包括前向计算和对输出之和的反向传播;之后丢弃梯度。"),
    "graph-kept": ("Each call's outputs keep their graph until the next call, as in code that forgets no_grad.", "每次调用的输出把计算图保留到下一次调用,如同忘记使用 no_grad 的代码。"),
    "teaching-heading": ("What each switch does, against the first row:", "各开关的效果(与第一行比较):"),
    "teaching-none": ("same", "相同"),
    "teaching-differ": ("differ by {difference}", "相差 {difference}"),
    "teaching-unsteady": ("two equal calls differ", "两次相同调用结果不同"),
    "teaching-rewritten": ("buffers rewritten", "缓冲区被改写"),
    "teaching-join": (", ", ","),
    "teaching-non-finite": ("inf or NaN in one only", "仅一方含 inf 或 NaN"),
    "teaching-incomparable": ("other shapes", "形状不同"),
    "option.memory_format.channels_last": ("channels_last", "channels_last"),
    "option.grad.no_grad": ("no_grad", "no_grad"),
    "option.grad.kept": ("grad kept", "保留计算图"),
    "option.grad.backward": ("with backward", "含反向传播"),
    "option.mode.train": ("train mode", "训练模式"),
    "option.micro_batch": ("micro-batches of {size}", "微批大小 {size}"),
    "option.max": ("max", "最大"),
    "option.max-share": ("max {percent} %", "最大 {percent}%"),
}
