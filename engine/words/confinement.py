"""Words for what holds a worker that runs foreign code."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # One sentence for each of engine.confinement.PROTECTIONS: it holds on this machine, or it does not.
    "confined-network": ("It has no network.", "它无法访问网络。"),
    "unconfined-network": ("It can use the network.", "它可以访问网络。"),
    "confined-write": ("It cannot write to your files, only to a scratch folder that vanishes with it.", "它不能写入你的文件,只能写入随其一同消失的临时文件夹。"),
    "unconfined-write": ("It can write to your files.", "它可以写入你的文件。"),
    "confined-read": (
        "It reads only Python, libraries, the model and what you named for it, none of your other files.",
        "它只能读取 Python、程序库、模型以及你为它指定的文件,不能读取你的其他文件。",
    ),
    "unconfined-read": ("It can read your files.", "它可以读取你的文件。"),
    "confined-processes": ("It sees no other process and can start none.", "它看不到其他进程,也不能启动新进程。"),
    "unconfined-processes": ("It may see other processes, or start some.", "它可能看到其他进程,或启动新进程。"),
    "confined-signals": ("It cannot end, stop or look into other processes.", "它不能终止、暂停或探查其他进程。"),
    "unconfined-signals": ("It can end or stop your other processes.", "它可以终止或暂停你的其他进程。"),
    "confined-memory": ("Its memory is bounded, so that the machine stays usable.", "它的内存用量有上限,电脑仍可正常使用。"),
    "unconfined-memory": (
        "Its memory has no bound of its own: it is ended when the machine's runs low.",
        "它的内存用量没有单独的上限:电脑内存不足时会将其终止。",
    ),
    "confined-environment": ("It sees no environment variable that could be a secret.", "它看不到可能含有机密的环境变量。"),
    "unconfined-environment": ("It can see your environment variables.", "它可以看到你的环境变量。"),
    # Looking at a model, outside of any job.
    "memory-ran-out": (
        "{file} was stopped: it held {held}, and {free} of this machine's {total} were left.",
        "{file} 已被停止:它占用了 {held},本机 {total} 内存只剩 {free}。",
    ),
    "memory-ran-out.hint": ("Close other programs, or take a machine with more memory.", "请关闭其他程序,或换用内存更大的电脑。"),
}
