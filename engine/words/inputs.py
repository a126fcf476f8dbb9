"""Words for inputs: those that were found, and those that a model refused."""

from __future__ import annotations

_REFUSALS: dict[str, tuple[str, str]] = {
    "input-channels": (
        "Input {input} has {got} channels, `{layer}` wants {wanted}.",
        "输入 {input} 有 {got} 个通道,`{layer}` 需要 {wanted} 个。",
    ),
    "input-features": (
        "Input {input} has {got} features in its last dimension, `{layer}` wants {wanted}.",
        "输入 {input} 的最后一维有 {got} 个特征,`{layer}` 需要 {wanted} 个。",
    ),
    "input-dimensions": (
        "Input {input} has {got} dimensions, `{layer}` wants {wanted}.",
        "输入 {input} 有 {got} 维,`{layer}` 需要 {wanted}。",
    ),
    "input-small": (
        "Input {input} is too small: only {got} of it reach `{layer}`, which is less than its kernel.",
        "输入 {input} 太小:到达 `{layer}` 时只剩 {got},小于它的卷积核或窗口。",
    ),
    "input-flatten": (
        "The size of input {input} does not fit: `{layer}` behind the flatten wants {wanted} features and got {got}.",
        "输入 {input} 的尺寸不合适:展平之后的 `{layer}` 需要 {wanted} 个特征,得到 {got} 个。",
    ),
    "input-long": (
        "Input {input} has {got} steps, `{layer}` has places for {wanted}.",
        "输入 {input} 有 {got} 步,`{layer}` 只有 {wanted} 个位置。",
    ),
    "input-integers": (
        "Input {input} is {got}, but `{layer}` looks numbers up: it wants integers from 0 to {last}.",
        "输入 {input} 是 {got},而 `{layer}` 按编号查表:需要 0 到 {last} 的整数。",
    ),
    "input-range": (
        "Input {input} goes beyond the table: `{layer}` knows the numbers 0 to {last}, and it holds {low} to {high}.",
        "输入 {input} 超出了查找表:`{layer}` 只有编号 0 到 {last},而输入为 {low} 到 {high}。",
    ),
    "input-dtype": (
        "Input {input} is {got}, `{layer}` calculates in {wanted}.",
        "输入 {input} 是 {got},`{layer}` 以 {wanted} 计算。",
    ),
    "input-layer": (
        "The inputs {given} do not fit: `{layer}` ({type}) wants {wanted} and got {got}.",
        "输入 {given} 不匹配:`{layer}`({type})需要 {wanted},得到的是 {got}。",
    ),
    "input-inside": (
        "The forward cannot work with the inputs {given}: in `{layer}`, {error}",
        "前向计算无法处理输入 {given}:`{layer}` 中 {error}",
    ),
    "input-own-words": (
        "The model refused the inputs {given}: {error}",
        "模型拒绝了输入 {given}:{error}",
    ),
    "input-declared-size": (
        "Input {input} has {got} in dimension {index}, counted from 0; the graph declares {wanted}.",
        "输入 {input} 的第 {index} 维(从 0 数起)为 {got};计算图声明的是 {wanted}。",
    ),
    "input-declared-rank": ("Input {input} has {got} dimensions; the graph declares {wanted}.", "输入 {input} 有 {got} 维;计算图声明的是 {wanted} 维。"),
    "input-declared-dtype": ("An input is {got}; the graph declares {wanted}.", "有一个输入是 {got};计算图声明的是 {wanted}。"),
    "input-graph-names": ("The graph wants the inputs {wanted}; {given} were given.", "计算图需要输入 {wanted},提供了 {given} 个。"),
    "input-graph-refused": ("The graph refused the inputs: {error}", "计算图拒绝了输入:{error}"),
    "input-count": (
        "Inputs given: {count}; forward takes ({takes}).",
        "提供了 {count} 个输入,而 forward 的参数为 ({takes})。",
    ),
    "input-unknown-name": (
        "Forward takes no input named {name}; it takes ({takes}).",
        "forward 没有名为 {name} 的输入;它的参数为 ({takes})。",
    ),
}
"""Each has a plain hint, and one with a proposal that was seen to run."""

_HINTS: dict[str, tuple[str, str]] = {
    "input-count": ("Give one --input for each, in order or by name.", "请为每个参数提供一个 --input,按顺序或按名称。"),
    "input-unknown-name": ("Use one of those names.", "请使用其中的名称。"),
    "input-integers": ("Write it as integers, for example i64[B,128]{{0..{last}}}.", "请写成整数,例如 i64[B,128]{{0..{last}}}。"),
    "input-range": ("Give its range: {{0..{last}}}.", "请写明范围:{{0..{last}}}。"),
    "input-long": ("Make it shorter.", "请缩短长度。"),
    "input-small": ("Make it larger.", "请加大尺寸。"),
    "input-flatten": ("No size was found that fits.", "没有找到合适的尺寸。"),
}
_PLAIN_HINT = ("Change its shape or dtype; the traceback is in the details.", "请修改其形状或数据类型;回溯信息见详情。")
_TRY = ("Try {proposal}.", "请尝试 {proposal}。")
_TRY_SIZES = (
    "Try {proposal}; sides that fit: {sizes}. (`nn.{pooling}` before the flatten would accept any size.)",
    "请尝试 {proposal};合适的边长:{sizes}。(在展平之前加上 `nn.{pooling}` 则可接受任意尺寸。)",
)
_TRY_SIZES_ALONE = ("Try {proposal}; sides that fit: {sizes}.", "请尝试 {proposal};合适的边长:{sizes}。")


def _with_hints() -> dict[str, tuple[str, str]]:
    made = {}
    for code, sentence in _REFUSALS.items():
        made[code] = made[f"{code}-try"] = sentence
        made[f"{code}.hint"] = _HINTS.get(code, _PLAIN_HINT)
        made[f"{code}-try.hint"] = _TRY
    made["input-flatten-sizes"] = made["input-flatten-pool"] = _REFUSALS["input-flatten"]
    made["input-flatten-sizes.hint"], made["input-flatten-pool.hint"] = _TRY_SIZES_ALONE, _TRY_SIZES
    made["input-flatten-pool-only"] = _REFUSALS["input-flatten"]
    made["input-flatten-pool-only.hint"] = (
        "No size was found that fits; `nn.{pooling}` before the flatten would accept any.", "没有找到合适的尺寸;在展平之前加上 `nn.{pooling}` 则可接受任意尺寸。",
    )
    return made


TABLE: dict[str, tuple[str, str]] = {
    **_with_hints(),
    "input-unbatched": ("The inputs {given} have no batch dimension.", "输入 {given} 没有批维度。"),
    "input-unbatched.hint": _TRY,
    "input-batch": (
        "The inputs {given} run with batch {works}, not with batch {batch}: {error}", "输入 {given} 在批大小为 {works} 时可以运行,为 {batch} 时不行:{error}",
    ),
    "input-batch.hint": ("Use batch {works}, or a multiple of it: --batch {works}.", "请使用批大小 {works} 或其倍数:--batch {works}。"),
    "input-none-found": (
        "No input was found that the forward runs with; {count} were tried. The nearest, {given}: {error}",
        "没有找到能让 forward 运行的输入,已尝试 {count} 组。最接近的是 {given}:{error}",
    ),
    "input-none-found.hint": ("Give each input with --input, for example --input 'f32[B,3,224,224]'.", "请用 --input 逐个提供,例如 --input 'f32[B,3,224,224]'。"),
    "input-file-only": (
        "The graph wants an input of type {type}, which cannot be made up.", "计算图需要类型为 {type} 的输入,无法自动生成。",
    ),
    "input-file-only.hint": ("Such graphs cannot be run yet; export it with tensors as inputs.", "暂不支持运行此类计算图;请以张量为输入重新导出。"),
    "input-spec-key": (
        "Input {text!r} is a dictionary, and {member!r} has no name before a colon.", "输入 {text!r} 是字典,而 {member!r} 的冒号前没有名称。",
    ),
    "input-spec-channels-last": (
        "Input {text!r} has {dimensions} dimensions; channels_last wants 4 or 5.", "输入 {text!r} 有 {dimensions} 维;channels_last 需要 4 或 5 维。",
    ),
    # Notes.
    "batch-fixed": ("The batch is {batch} and cannot be chosen: no size of {inputs} is B.", "批大小为 {batch},不能另选:{inputs} 中没有写作 B 的维度。"),
    "batch-unknown": (
        "No size of {inputs} is B, so each call counts as one item: write B where the batch size stands.",
        "{inputs} 中没有写作 B 的维度,因此每次调用计为一个样本:请在批大小所在处写 B。",
    ),
    "batch-least": ("Batch {batch}: the model refused one row.", "批大小 {batch}:模型不接受单行输入。"),
    "input-batch-multiple": ("The batch must be a multiple of {batch}: smaller ones were refused.", "批大小必须是 {batch} 的倍数:更小的会被拒绝。"),
    "input-batch-at-least": ("It ran with batch {batch}, not with smaller ones.", "批大小为 {batch} 时可以运行,更小则不行。"),
    "input-batch-one": ("It ran with one row only: larger batches were refused.", "只能以单行运行:更大的批会被拒绝。"),
    "input-sizes-chosen": ("Sizes that the file leaves open were chosen by trying: {sizes}.", "文件中未定的尺寸已通过尝试选定:{sizes}。"),
    "input-declared-failed": ("The declared inputs {given} did not run; others were found by trying.", "声明的输入 {given} 无法运行;已通过尝试找到其他输入。"),
    "input-found": ("Inputs were found by trying: {count} attempts.", "输入通过尝试得到:共 {count} 次。"),
}
