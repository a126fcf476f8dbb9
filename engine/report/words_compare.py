"""Words of the page's section about a comparison; the verdict's own sentences are the engine's."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "compare.title": ("A against B, measured in turn", "A 与 B 交替测量"),
    "compare.FASTER": ("B is faster", "B 更快"),
    "compare.SLOWER": ("B is slower", "B 更慢"),
    "compare.SAME": ("Same", "相同"),
    "compare.CANNOT-TELL": ("Cannot tell", "无法判断"),
    "compare.ratio": ("B's median over A's", "B 与 A 的中位数之比"),
    "compare.interval": ("95 % interval", "95% 置信区间"),
    "compare.blocks": ("Blocks of each", "每个的测量块数"),
    "compare.needed": ("Blocks of each still needed, about", "每个大约还需的测量块数"),
    "compare.side": ("{side}: {name}", "{side}:{name}"),
    "compare.unknown": ("not known", "未知"),
    "compare.chart-ratio": ("Ratio and its interval after each round; the band is what counts as the same (±{percent} %).", "每轮之后的比值及其区间;色带表示视为相同的范围(±{percent}%)。"),
    "compare.chart-blocks": ("Medians of the blocks, in the order they were taken: circles are A, crosses are B.", "各测量块的中位数,按测量顺序:圆点为 A,叉号为 B。"),
    "compare.note": (
        "Both workers were alive at once and took blocks in turn (A B B A, B A A B). A round is some such turns on a pair of workers, its value the median of their ratios; "
        "the interval is Student's t on the trimmed mean of the rounds, at a level that allows for looking several times.",
        "两个工作进程同时存活并轮流测量(A B B A、B A A B)。一轮是同一对工作进程上的若干次轮换,其值为各次比值的中位数;"
        "区间为各轮截尾均值的 Student t 区间,其水平已考虑多次查看。",
    ),
}
