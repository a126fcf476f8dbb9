"""The filter of system calls: no sockets, no new processes, no signals to others, nothing that reaches into other processes or changes the system.

A deny-list: what torch, CUDA and a user's libraries call is nobody's to foresee, while files are held by Landlock's allow-list. The kernel remembers
which calls are always allowed, so that the length of the filter costs a call nothing.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from engine.confinement import kernel

REFUSED: dict[str, tuple[int | None, int | None]] = {
    # Sockets of every family. The channel was made before.
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    # io_uring does most of what is refused here without a system call for it.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # New processes and programs; threads are clone with CLONE_THREAD.
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    # Other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "migrate_pages": (256, 238), "setpriority": (141, 140), "setpgid": (109, 154), "setsid": (112, 157),
    # The kernel's own larger surfaces.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "fanotify_init": (300, 262), "lookup_dcookie": (212, 18), "modify_ldt": (154, None), "personality": (135, 92), "uselib": (134, None),
    "memfd_secret": (447, 447), "nfsservctl": (180, 42),
    # Mounts and namespaces.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "move_mount": (429, 429), "open_tree": (428, 428), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "setns": (308, 268), "unshare": (272, 97), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # The system as a whole.
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "create_module": (174, None), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "syslog": (103, 116),
    "vhangup": (153, 58),
    # Objects that outlive a process, and nodes of devices.
    "msgget": (68, 186), "semget": (64, 190), "shmget": (29, 194), "mq_open": (240, 180), "mknod": (133, None), "mknodat": (259, 33),
}
"""Name: its number on x86_64 and on aarch64; refused with EPERM."""
METADATA: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469), "truncate": (76, 45),
}
"""Refused besides where files are not mounted read-only: Landlock does not cover them."""
LOCAL = ("socketpair", "bind", "listen", "accept", "accept4")
"""Allowed for CUDA, whose driver listens on an abstract socket of its own. To connect is refused, so nothing reaches out; and in a network namespace, or
under Landlock from its sixth version on, nobody reaches in."""
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TO_ITSELF = {
    "kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
}
_PRLIMIT, _PRCTL, _FCNTL, _IOCTL = (302, 261), (157, 167), (72, 25), (16, 29)
_SECCOMP = (317, 277)

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _MASK, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_AF_UNIX, _SOCK_TYPE, _SOCK_STREAM, _SOCK_SEQPACKET = 1, 0xF, 1, 5
_CLONE_THREAD, _CLONE_NAMESPACES = 0x00010000, 0x7E020000
_PR_SET_PDEATHSIG, _PR_SET_PTRACER, _PR_SET_MM = 1, 0x59616D61, 35
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_SET_MODE_FILTER, _TSYNC, _SPEC_ALLOW = 1, 1, 4

Instruction = tuple[int, int, int, int]
"""Code, lines to skip if true, lines to skip if false, operand."""


def _return(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


_REFUSE = _return(_ERRNO | errno.EPERM)


def _argument(index: int) -> Instruction:
    """Load the low half of an argument."""
    return (_LOAD, 0, 0, 16 + 8 * index)


def _on(number: int, body: list[Instruction]) -> list[Instruction]:
    """Run `body`, which always returns, for one system call."""
    return [(_EQUAL, 0, len(body), number), *body]


def _only(values: tuple[int, ...], index: int) -> list[Instruction]:
    """Allowed when the argument is one of `values`."""
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _REFUSE, _return(_ALLOW)]


def _none_of(values: tuple[int, ...], index: int) -> list[Instruction]:
    """Refused when the argument is one of `values`."""
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _return(_ALLOW), _REFUSE]


def _local_sockets() -> list[Instruction]:
    """Allowed for a connected kind of Unix socket; a datagram could be sent to any name without connecting."""
    kinds = [_argument(1), (_MASK, 0, 0, _SOCK_TYPE), (_EQUAL, 2, 0, _SOCK_STREAM), (_EQUAL, 1, 0, _SOCK_SEQPACKET), _REFUSE, _return(_ALLOW)]
    return [_argument(0), (_EQUAL, 1, 0, _AF_UNIX), _REFUSE, *kinds]


def program(machine: str, pid: int, metadata: bool = False, local: bool = False) -> bytes:
    """The filter for a process `pid`; `metadata` refuses changes of modes, owners, times and attributes too, `local` allows sockets that reach nobody."""
    which = kernel.ARCHITECTURES.index(machine)
    lines: list[Instruction] = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _AUDIT_ARCH[machine]), _return(_KILL), (_LOAD, 0, 0, 0)]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32_BIT), _return(_KILL)]
    threads = [_argument(0), (_ANY_BIT, 0, 2, _CLONE_THREAD), (_ANY_BIT, 1, 0, _CLONE_NAMESPACES), _return(_ALLOW), _REFUSE]
    lines += _on(_CLONE[which], threads)
    # glibc takes clone where clone3 is unknown; its flags lie in memory, where no filter sees them.
    lines += _on(_CLONE3[which], [_return(_ERRNO | errno.ENOSYS)])
    for signal in _TO_ITSELF.values():
        lines += _on(signal[which], _only((pid,), 0))
    lines += _on(_PRLIMIT[which], _only((0, pid), 0))
    lines += _on(_PRCTL[which], _none_of((_PR_SET_PDEATHSIG, _PR_SET_PTRACER, _PR_SET_MM), 0))
    lines += _on(_FCNTL[which], _none_of((_F_SETOWN, _F_SETSIG, _F_SETOWN_EX), 1))
    lines += _on(_IOCTL[which], _none_of((_TIOCSTI, _TIOCLINUX), 1))
    if local:
        lines += _on(REFUSED["socket"][which] or 0, _local_sockets())
    for name, numbers in {**REFUSED, **(METADATA if metadata else {})}.items():
        number = numbers[which]
        if number is not None and not (local and name in LOCAL):
            lines += _on(number, [_REFUSE])
    lines.append(_return(_ALLOW))
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(code: bytes) -> bool:
    """Put the filter on every thread, for good; False where the kernel has no filters. Needs no_new_privs."""
    machine = kernel.machine()
    if machine is None:
        return False
    made = _Program(len(code) // 8, code)
    number = _SECCOMP[kernel.ARCHITECTURES.index(machine)]
    for flags in (_TSYNC | _SPEC_ALLOW, _TSYNC):
        try:
            # With TSYNC a positive answer is the thread that could not be taken along.
            if kernel.call(number, _SET_MODE_FILTER, flags, ctypes.byref(made)) == 0:
                return True
        except OSError:
            continue
    return False
