"""How a worker comes to life: standard library only, so that any Python can begin here.

Linux: `python -m engine.launch --serve FD` is the fork server. It imports torch and the worker's loop once, then forks a
worker each time the engine asks on a SEQPACKET socket; a worker so made runs after some 10 ms instead of seconds. It never
touches CUDA, so its children may. Elsewhere: `python -m engine.launch --worker`, a plain new process each time.

Why not `multiprocessing`'s fork server: it is one per process, tied to one interpreter; it gives no pidfd (so a pid can be
recycled between death and signal), and it reaps children behind the engine's back. Here a dead worker stays a zombie until
the engine has killed what is left of its group and asks for its exit status.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback

PRELOAD = ("torch", "engine.worker.loop")
LENT_VARIABLE = "MODEL_DYNO_MSGSPEC"
"""Where the program's own msgspec lies, for a Python that has none."""
_PR_SET_PDEATHSIG = 1


def borrow_msgspec() -> None:
    """Take the program's msgspec where this Python has none, and nothing else of the program's packages: its torch must not come along.

    Its compiled part fits one minor version of Python: in another one the import fails, and the engine says what to install.
    """
    folder = os.environ.get(LENT_VARIABLE)
    if not folder or "msgspec" in sys.modules or importlib.util.find_spec("msgspec") is not None:
        return
    spec = importlib.util.spec_from_file_location("msgspec", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        return
    module = sys.modules["msgspec"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["msgspec"]
        raise


def run(channel: socket.socket) -> None:
    """Be a worker: obey the engine at the other end of `channel` until it hangs up."""
    borrow_msgspec()
    loop = importlib.import_module("engine.worker.loop")
    loop.obey(channel)


def die_with_parent(parent: int, sig: int = signal.SIGKILL) -> None:
    """Have the kernel send `sig` when `parent` ends; where it cannot, watch the parent's pid from a thread."""
    try:
        refused = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0) != 0
    except (AttributeError, OSError):
        refused = True
    if refused:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True, name="parent-watch").start()
    if os.getppid() != parent:
        os._exit(1)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def become_worker(channel_fd: int, log_fd: int, parent: int) -> None:
    """First acts of a worker's life: own session, own signals, no fd but its channel and log, then obey. Does not return."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _redirect(log_fd)
        channel_fd = _keep_only(channel_fd)
        die_with_parent(parent)
        run(socket.socket(fileno=channel_fd))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(log_fd: int) -> None:
    """Standard input reads nothing; whatever libraries print goes to the log and never near the channel."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)


def _keep_only(channel_fd: int) -> int:
    """Close every fd above 2 but the channel, which moves to 3."""
    if channel_fd != 3:
        os.dup2(channel_fd, 3)
    os.closerange(4, _highest_fd() + 1)
    return 3


def _highest_fd() -> int:
    try:
        return max(int(name) for name in os.listdir("/proc/self/fd"))
    except (OSError, ValueError):
        return int(os.sysconf("SC_OPEN_MAX"))


class _Server:
    """The fork server's own life: answers `spawn` and `reap` until the engine hangs up."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: set[int] = set()

    def serve(self) -> None:
        """Loop until the engine's end of the control socket is closed, then end all workers."""
        signal.signal(signal.SIGTERM, lambda *_: self.leave())
        die_with_parent(os.getppid(), signal.SIGTERM)
        if not self._preload():
            return
        while True:
            request, descriptors, _, _ = socket.recv_fds(self._control, 4096, 4)
            if not request:
                self.leave()
            command = json.loads(request)
            if "spawn" in command:
                self._spawn(*descriptors)
            else:
                self._reap(command["reap"])

    def _preload(self) -> bool:
        try:
            borrow_msgspec()
            for name in PRELOAD:
                importlib.import_module(name)
        except BaseException:
            self._say({"failed": traceback.format_exc()[-8000:]})
            return False
        # A worker's collector need not walk torch's objects: that costs 0.1 s and unshares their pages.
        gc.collect()
        gc.freeze()
        self._say({"ready": [name for name in PRELOAD if name in sys.modules], "pid": os.getpid()})
        return True

    def _spawn(self, channel_fd: int, log_fd: int) -> None:
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(channel_fd)
            os.close(log_fd)
            self._say({"refused": str(error)})
            return
        if pid == 0:
            become_worker(channel_fd, log_fd, server)
        os.close(channel_fd)
        os.close(log_fd)
        self._children.add(pid)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(self._control, [json.dumps({"pid": pid}).encode()], [pidfd])
        os.close(pidfd)

    def _reap(self, pid: int) -> None:
        self._children.discard(pid)
        try:
            _, status = os.waitpid(pid, 0)
            code: int | None = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            code = None
        self._say({"reaped": pid, "code": code})

    def _say(self, answer: dict[str, object]) -> None:
        try:
            self._control.send(json.dumps(answer).encode())
        except OSError:
            self.leave()

    def leave(self) -> None:
        """Kill every worker with its group and end."""
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        os._exit(0)


def main(arguments: list[str]) -> None:
    """`--serve FD`: be the fork server. `--worker CHANNEL LOG`: be one worker of the process that started this one."""
    if arguments[0] == "--serve":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        control = socket.socket(fileno=int(arguments[1]))
        os.set_inheritable(control.fileno(), False)
        _Server(control).serve()
    else:
        become_worker(int(arguments[1]), int(arguments[2]), os.getppid())


if __name__ == "__main__":
    main(sys.argv[1:])
