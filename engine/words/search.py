"""Words for the search for the class of bare weights."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "search-not-built": ("{spec} could not be built: {error}", "{spec} 无法构建:{error}"),
    "search-needs-package": ("{spec} needs the package {package}, which this Python does not have: install it, or choose another Python.",
                             "{spec} 需要软件包 {package},而此 Python 没有安装:请安装它,或选择另一个 Python。"),
    "search-needs-arguments": ("{spec} needs arguments that the weights do not tell: {arguments}. Type them after the class's name, or add a function to its file that builds it.",
                               "{spec} 需要的参数无法从权重得知:{arguments}。请在类名后输入,或在其文件中加一个构建它的函数。"),
    "search-untold": ("{spec} fits with several values of {arguments}: type the one that it was trained with.",
                      "{spec} 在 {arguments} 取多个值时都匹配:请输入训练时所用的值。"),
    "search-nothing-alike": ("{spec} has no key in common with the weights.", "{spec} 与权重没有任何相同的键。"),
    "search-out-of-time": ("{spec} was not tried: the search had taken too long. Choose it alone to try it.",
                           "{spec} 未尝试:搜索用时过长。单独选择它即可尝试。"),
}
