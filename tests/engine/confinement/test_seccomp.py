"""The filter, run by an interpreter of our own for both processors: what it refuses, and what it must let through."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from engine.confinement import seccomp

ALLOW, KILL = "allow", "kill"
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {"x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"), "aarch64": ("/usr/include/asm-generic/unistd.h",)}
PID = 4242


def verdict(machine, number, *arguments, arch=None, **options):
    """What the filter says of one system call: `allow`, `kill`, or the errno's name."""
    code = seccomp.program(machine, PID, **options)
    data = struct.pack("<IIQ6Q", number, arch or ARCHES[machine], 0, *[each & (2**64 - 1) for each in (*arguments, *[0] * (6 - len(arguments)))])
    lines = [struct.unpack_from("<HBBI", code, place) for place in range(0, len(code), 8)]
    here, accumulator = 0, 0
    while True:
        operation, yes, no, operand = lines[here]
        here += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(operand) or errno.errorcode[operand & 0xFFFF]
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}[operation]
            here += yes if holds else no


@pytest.fixture(params=sorted(ARCHES))
def machine(request):
    return request.param


def of(machine, pair):
    return pair[sorted(ARCHES, reverse=True).index(machine)]


def test_every_refused_call_is_refused_whatever_its_arguments(machine):
    for name, pair in seccomp.REFUSED.items():
        number = of(machine, pair)
        if number is not None:
            assert verdict(machine, number, 1, 2, 3) == "EPERM", name


def test_reading_writing_and_mapping_go_through(machine):
    for pair in ((0, 63), (1, 64), (9, 222), (202, 98), (13, 134), (228, 113), (231, 94), (203, 122), (28, 233), (257, 56), (318, 278)):
        assert verdict(machine, of(machine, pair), 3, 4, 5) == ALLOW


def test_threads_are_made_and_processes_are_not(machine):
    clone = of(machine, (56, 220))
    thread = 0x3D0F00       # what glibc asks for
    assert verdict(machine, clone, thread) == ALLOW
    assert verdict(machine, clone, 17) == "EPERM"                       # fork
    assert verdict(machine, clone, 0x4111) == "EPERM"                   # vfork
    assert verdict(machine, clone, thread | 0x20000000) == "EPERM"      # a namespace beside
    assert verdict(machine, 435, 0) == "ENOSYS"                         # clone3: glibc takes clone then


def test_signals_reach_nobody_else(machine):
    for pair in ((62, 129), (234, 131), (129, 138), (297, 240)):
        number = of(machine, pair)
        assert verdict(machine, number, PID, 9) == ALLOW
        for other in (0, 1, -1, -PID, PID + 1):
            assert verdict(machine, number, other, 9) == "EPERM"


def test_what_only_some_arguments_make_harmful(machine):
    prctl, fcntl, ioctl, prlimit = (of(machine, pair) for pair in ((157, 167), (72, 25), (16, 29), (302, 261)))
    assert verdict(machine, prctl, 15, 1) == ALLOW                      # a thread's name
    assert verdict(machine, prctl, 1, 0) == "EPERM"                     # to outlive its parent
    assert verdict(machine, fcntl, 3, 3) == ALLOW
    assert verdict(machine, fcntl, 3, 8, 1) == "EPERM"                  # a signal to somebody by way of a descriptor
    assert verdict(machine, ioctl, 3, 0x5401) == ALLOW
    assert verdict(machine, ioctl, 3, 0x5412) == "EPERM"                # to type into a terminal
    assert verdict(machine, prlimit, 0, 7) == verdict(machine, prlimit, PID, 7) == ALLOW
    assert verdict(machine, prlimit, 1, 7) == "EPERM"


def test_for_cuda_sockets_that_reach_nobody(machine):
    """Streams of Unix that may listen; no other family, no datagrams, no connecting."""
    socket, connect, bind, pair = (of(machine, seccomp.REFUSED[name]) for name in ("socket", "connect", "bind", "socketpair"))
    for kind in (1, 5, 1 | 0x80000, 5 | 0x80800):
        assert verdict(machine, socket, 1, kind, local=True) == ALLOW
        assert verdict(machine, socket, 1, kind) == "EPERM"
        for family in (0, 2, 10, 16, 17, 40):
            assert verdict(machine, socket, family, kind, local=True) == "EPERM"
    for kind in (2, 3, 2 | 0x80000):
        assert verdict(machine, socket, 1, kind, local=True) == "EPERM"
    assert verdict(machine, bind, 3, local=True) == verdict(machine, pair, 1, 1, local=True) == ALLOW
    assert verdict(machine, connect, 3, local=True) == "EPERM"
    for name, numbers in seccomp.REFUSED.items():
        if name not in (*seccomp.LOCAL, "socket") and of(machine, numbers) is not None:
            assert verdict(machine, of(machine, numbers), 1, 1, local=True) == "EPERM", name


def test_modes_and_times_of_files_are_refused_where_mounts_are_writable(machine):
    for name, pair in seccomp.METADATA.items():
        number = of(machine, pair)
        if number is not None:
            assert (verdict(machine, number), verdict(machine, number, metadata=True)) == (ALLOW, "EPERM"), name


def test_another_processors_calls_end_it(machine):
    other = next(arch for name, arch in ARCHES.items() if name != machine)
    assert verdict(machine, 0, arch=other) == KILL
    assert verdict(machine, 1, arch=0x40000003) == KILL      # 32 bit, where other numbers hold


def test_the_x32_numbers_end_it():
    assert verdict("x86_64", 0x40000000 | 41) == KILL


def test_the_numbers_are_the_kernels(machine):
    """Against the headers, where they are installed."""
    path = next((Path(each) for each in HEADERS[machine] if Path(each).exists()), None)
    if path is None:
        pytest.skip("the kernel's headers are not installed")
    known = {name: int(value) for name, value in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text())}
    tables = {**seccomp.REFUSED, **seccomp.METADATA, **seccomp._TO_ITSELF, "clone": seccomp._CLONE, "clone3": seccomp._CLONE3, "prlimit64": seccomp._PRLIMIT,
              "prctl": seccomp._PRCTL, "fcntl": seccomp._FCNTL, "ioctl": seccomp._IOCTL, "seccomp": seccomp._SECCOMP}
    compared = {name: (of(machine, pair), known[name]) for name, pair in tables.items() if name in known}
    assert len(compared) > 60
    assert {name: pair for name, pair in compared.items() if pair[0] != pair[1]} == {}
