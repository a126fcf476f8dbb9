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
    # What a candidate did to the worker that built it.
    "search-killed": ("{spec} was left out: its code ended the process that built it with signal {signal} ({name}). Run the class by itself to see where.",
                      "{spec} 已略过:其代码以信号 {signal}({name})终止了构建它的进程。请单独运行该类,查看出错之处。"),
    "search-exited": ("{spec} was left out: its code ended the process that built it with exit code {exit_code}. Look for exit() in it and in what it imports.",
                      "{spec} 已略过:其代码以退出代码 {exit_code} 结束了构建它的进程。请检查其中及其导入的代码里的 exit()。"),
    "search-hung": ("{spec} was left out: it was not built within {seconds:.0f} s. Look for a loop or a wait in its constructor and in what it imports.",
                    "{spec} 已略过:{seconds:.0f} 秒内未能构建。请检查其构造函数及其导入的代码里是否有循环或等待。"),
    "search-memory": ("{spec} was left out: building it took {held} of memory, until {free} of this machine's {total} were left. Type smaller arguments to try it.",
                      "{spec} 已略过:构建它占用了 {held} 内存,本机 {total} 仅剩 {free}。请输入更小的参数再试。"),
    "search-garbled": ("{spec} was left out: the process that built it sent something that is no answer ({error}). Look for writes to file descriptors in its code.",
                       "{spec} 已略过:构建它的进程发来了无法理解的内容({error})。请检查其代码中对文件描述符的写入。"),
}
