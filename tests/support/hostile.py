"""A class file that tries what a confined worker must not do; copied beside a model by the tests, its words go to the worker's log. Fits `nets.Linears`."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import torch
from torch import nn


def libc():
    """Not a constant of this file: a class file's assignments that call something are not executed."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def number(x86_64, aarch64):
    """Of a system call on this machine."""
    return aarch64 if os.uname().machine == "aarch64" else x86_64


def system(which, *arguments):
    """A raw system call."""
    if libc().syscall(ctypes.c_long(which), *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def fork():
    """By the C library, past Python; a child that should not be leaves at once."""
    child = libc().fork()
    if child < 0:
        raise OSError(ctypes.get_errno(), "fork")
    if child == 0:
        os._exit(0)


def attempts(targets):
    """Name -> what is tried; `targets` are the paths and processes of the test."""
    secret, model, engine, sibling, server = (targets[name] for name in ("secret", "model", "engine", "sibling", "server"))
    beside = os.path.join(os.path.dirname(model), "made")
    return {
        "inet": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "inet6 udp": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "socketpair": socket.socketpair,
        "connect over the channel": lambda: socket.socket(fileno=os.dup(3)).connect("\0abstract"),
        "io_uring": lambda: system(425, 8, ctypes.create_string_buffer(256)),
        "write in home": lambda: open(os.path.join(os.path.dirname(secret), "new"), "w"),
        "append to a secret": lambda: open(secret, "a"),
        "write beside the model": lambda: open(beside, "w"),
        "append to the model": lambda: open(model, "a"),
        "truncate the model": lambda: os.truncate(model, 0),
        "remove the model": lambda: os.unlink(model),
        "rename the model": lambda: os.rename(model, beside),
        "hide the model": lambda: os.chmod(model, 0),
        "date the model": lambda: os.utime(model, (0, 0)),
        "make a folder": lambda: os.mkdir(beside),
        "make a link": lambda: os.symlink("/", beside),
        "make a pipe": lambda: os.mkfifo(beside),
        "write in /tmp": lambda: open("/tmp/model-dyno-hostile", "w"),
        "write in /var/tmp": lambda: open("/var/tmp/model-dyno-hostile", "w"),
        "write in the program": lambda: open(os.path.join(targets["program"], "hostile"), "w"),
        "change the system": lambda: open("/proc/sys/kernel/pid_max", "w"),
        "press a key of the system": lambda: open("/proc/sysrq-trigger", "w"),
        "name a thread": lambda: open(f"/proc/self/task/{os.getpid()}/comm", "w").write("hostile"),
        "choose who is killed": lambda: open("/proc/self/oom_score_adj", "w"),
        "read a secret": lambda: open(secret).read(),
        "read /etc/shadow": lambda: open("/etc/shadow").read(),
        "read a disk": lambda: [open(path, "rb").read(1) for path in ("/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/mem") if os.path.exists(path)] or refuse(),
        "list home": lambda: os.listdir(os.path.dirname(secret)),
        "list /": lambda: os.listdir("/"),
        "open by handle": lambda: system(number(304, 265), -100, ctypes.create_string_buffer(64), 0),
        "fork": fork,
        "os.fork": os.fork,
        "run a program": lambda: subprocess.run(["/bin/true"], check=True),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "shell": lambda: os.system("true") == 0 or refuse(),
        "become a program": lambda: os.execv("/bin/true", ["true"]),
        "new session": os.setsid,
        "new namespace": lambda: libc().unshare(0x10000000) == 0 or refuse(),
        "mount": lambda: libc().mount(b"none", b"/", None, 1 << 18, None) == 0 or refuse(),
        "trace the engine": lambda: libc().ptrace(16, engine, 0, 0) == 0 or refuse(),
        "read the engine's memory": lambda: open(f"/proc/{engine}/mem", "rb"),
        "read the keeper's memory": lambda: open("/proc/1/mem", "rb"),
        "read the keeper's environment": lambda: open("/proc/1/environ", "rb").read(),
        "read the engine's environment": lambda: open(f"/proc/{engine}/environ", "rb").read(),
        "handle of the engine": lambda: system(434, engine, 0),
        "kill the parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
        "kill the keeper": lambda: os.kill(1, signal.SIGKILL),
        "kill the engine": lambda: os.kill(engine, signal.SIGKILL),
        "kill the server": lambda: os.kill(server, signal.SIGKILL),
        "kill a sibling": lambda: os.kill(sibling, signal.SIGKILL),
        "stop a sibling": lambda: os.kill(sibling, signal.SIGSTOP),
        "kill everybody": lambda: os.kill(-1, signal.SIGKILL),
        "kill the group": lambda: os.kill(0, signal.SIGKILL),
        "slow everybody down": lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19),
        "outlive the server": lambda: libc().prctl(1, 0, 0, 0, 0) == 0 or refuse(),
        "bpf": lambda: system(number(321, 280), 0, ctypes.create_string_buffer(128), 128),
        "perf": lambda: system(number(298, 241), ctypes.create_string_buffer(128), 0, -1, -1, 0),
        "userfaultfd": lambda: system(number(323, 282), 0),
        "keyring": lambda: system(number(250, 219), 0, -3, 0),
        "device": lambda: os.mknod(beside, 0o600 | 0o020000, os.makedev(1, 1)),
        "secrets of its own": lambda: "verysecret" in str(os.environ) + open("/proc/self/environ").read() or refuse(),
        "other processes": lambda: len([name for name in os.listdir("/proc") if name.isdigit()]) > 2 or refuse(),
    }


def allowed():
    """What has to work all the same."""
    def use_a_thread():
        thread = threading.Thread(target=print, args=("thread",))
        thread.start()
        thread.join()

    def use_scratch():
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(b"x" * 1000)
        Path.home().joinpath("kept").write_text("here")

    return {
        "thread": use_a_thread,
        "scratch": use_scratch,
        "own signal": lambda: os.kill(os.getpid(), 0),
        "own source": lambda: open(__file__).read(),
        "null": lambda: open(os.devnull, "w").write("x"),
        "random": lambda: os.urandom(8),
        "a package": lambda: __import__("wave"),
        "processors": lambda: open("/proc/cpuinfo").read(),
    }


def refuse():
    """As the system would."""
    raise PermissionError(errno.EPERM, "refused")


def outcome_of(attempt):
    """`done`, or the name of the error."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "OSError")
    except BaseException as error:
        return type(error).__name__
    return "done"


def tell(targets):
    """Try everything and say what came of it."""
    tried = {name: outcome_of(attempt) for name, attempt in {**attempts(targets), **allowed()}.items()}
    print("tried " + json.dumps(tried) + " end", flush=True)


class Hostile(nn.Module):
    """Does `what` at its call number `at`."""

    def __init__(self, what: str, targets: str = "{}", at: int = 1) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 4)
        self.what, self.targets, self.at, self.calls = what, json.loads(targets), at, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.at:
            getattr(self, self.what)()
        return self.second(torch.relu(self.first(x)))

    def nothing(self) -> None:
        """Be good."""

    def everything(self) -> None:
        tell(self.targets)

    def forks(self) -> None:
        done = 0
        for _ in range(1000):
            with contextlib.suppress(OSError):
                fork()
                done += 1
        print(f"forked {done} end", flush=True)

    def threads(self) -> None:
        started, gate = 0, threading.Event()
        with contextlib.suppress(RuntimeError, MemoryError):
            for _ in range(20_000):
                threading.Thread(target=gate.wait, daemon=True).start()
                started += 1
        gate.set()
        print(f"started {started} end", flush=True)

    def memory(self) -> None:
        kept = []
        while True:
            kept.append(torch.ones(64 << 20, dtype=torch.uint8))

    def shared_memory(self) -> None:
        # RLIMIT_DATA does not count it.
        kept = []
        while True:
            block = mmap.mmap(-1, 64 << 20)
            block.write(bytes(64 << 20))
            kept.append(block)

    def scratch(self) -> None:
        written = 0
        with contextlib.suppress(OSError):
            for number in range(100):
                with open(Path.home() / str(number), "wb", buffering=0) as stream:
                    for _ in range(100):
                        written += stream.write(bytes(1 << 20))
        print(f"wrote {written} end", flush=True)

    def shout(self) -> None:
        for _ in range(1024):
            os.write(1, b"x" * (1 << 20))
        sys.stdout.write("quiet end\n")
        sys.stdout.flush()

    def garbage(self) -> None:
        os.write(3, os.urandom(4096))

    def grandchild(self) -> None:
        for attempt in (os.fork, os.forkpty, lambda: subprocess.Popen(["sleep", "1000"], start_new_session=True)):
            print("grandchild", outcome_of(attempt), flush=True)
        print("end", flush=True)
