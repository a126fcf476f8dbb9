"""Words for inputs: those that were found, and those that a model refused."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "input-spec-key": (
        "Input {text} is a dictionary, and {member} has no name before a colon.", "输入 {text} 是字典,而 {member} 的冒号前没有名称。",
    ),
    "input-spec-channels-last": (
        "Input {text} has {dimensions} dimensions; channels_last wants 4 or 5.", "输入 {text} 有 {dimensions} 维;channels_last 需要 4 或 5 维。",
    ),
}
