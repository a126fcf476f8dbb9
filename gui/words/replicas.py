"""Words of the window for several devices at once."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "chip.all-gpus": ("all GPUs at once", "所有 GPU 同时"),
    "chip.all-gpus.tip": ("Items/s is their total; the details show each one.", "吞吐量为总和;详情中有各副本的结果。"),
    "details.replicas": ("Replicas", "副本"),
    "replicas.figures": ("{p50}  {rate}  {memory}", "{p50}  {rate}  {memory}"),
    "replicas.tip": ("Median, items a second and peak memory of this replica alone,\nwhile the others ran too.", "其他副本同时运行时,该副本自己的中位数、每秒项数和内存峰值。"),
}
