"""Memory that a control group leaves: every group on the way up counts, whatever its files hold."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import memory_limit, watch
from engine.memory_limit import available_bytes, own_groups, safe_limit_bytes, total_bytes

GIB = 1 << 30
HOST = SimpleNamespace(available=48 * GIB, total=64 * GIB)


@pytest.fixture
def host(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: HOST)


class Tree:
    """A fake /sys/fs/cgroup and /proc/self/cgroup."""

    def __init__(self, folder):
        self.root, self.membership = folder / "cgroup", folder / "self"
        self.root.mkdir()

    def group(self, path, **files):
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"memory.{name}").write_text(str(text))

    def lives_in(self, *lines):
        self.membership.write_text("".join(f"{line}\n" for line in lines))

    @property
    def groups(self):
        return own_groups(self.membership, self.root)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


@pytest.mark.usefixtures("host")
def test_the_narrowest_of_nested_groups_counts(tree):
    """A service in a slice in a container: 6 GiB of its own, but the slice around it has 2 GiB left."""
    tree.lives_in("0::/box/slice/service")
    tree.group("box/slice/service", max=8 * GIB, current=2 * GIB)
    tree.group("box/slice", max=10 * GIB, current=9 * GIB, stat=f"anon 5\ninactive_file {GIB}\nactive_file {3 * GIB}\n")
    tree.group("box", max="max", current=20 * GIB)
    assert available_bytes(tree.groups) == 2 * GIB
    assert total_bytes(tree.groups) == 8 * GIB


@pytest.mark.usefixtures("host")
def test_version_1_counts_by_the_same_rule(tree):
    """Its hierarchy lies in a folder of its own, perhaps shared with another controller; no limit is a huge number there."""
    tree.lives_in("12:cpu,cpuacct:/docker/x", "5:memory,hugetlb:/docker/x", "1:name=systemd:/docker/x")
    tree.group("memory/docker/x", limit_in_bytes=4 * GIB, usage_in_bytes=3 * GIB, stat=f"inactive_file 7\ntotal_inactive_file {GIB}\n")
    tree.group("memory/docker", limit_in_bytes=9223372036854771712, usage_in_bytes=3 * GIB)
    assert (available_bytes(tree.groups), total_bytes(tree.groups)) == (2 * GIB, 4 * GIB)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("line", ["0::/", "0::/system.slice/docker-abc.scope", "0::/../../other", "0::/a/../b"])
def test_in_a_container_the_mounts_own_folder_counts(tree, line):
    """The path may be the host's, which is not mounted here."""
    tree.lives_in(line)
    tree.group(".", max=GIB, current=GIB // 4)
    assert (available_bytes(tree.groups), total_bytes(tree.groups)) == (3 * GIB // 4, GIB)


@pytest.mark.usefixtures("host")
def test_outside_of_groups_the_machine_counts(tree):
    assert (available_bytes(tree.groups), total_bytes(tree.groups)) == (HOST.available, HOST.total)
    tree.lives_in("0::/user.slice")
    tree.group("user.slice", max="max", current=5)
    assert (available_bytes(tree.groups), total_bytes(tree.groups)) == (HOST.available, HOST.total)


@pytest.mark.usefixtures("host")
def test_a_group_that_is_over_its_limit_has_nothing_left(tree):
    tree.lives_in("0::/")
    tree.group(".", max=GIB, current=2 * GIB)
    assert available_bytes(tree.groups) == 0


odd = st.one_of(st.binary(max_size=60), st.sampled_from([b"max\n", b"", b"-1\n", b"9" * 5000, "٤٤".encode(), b"1 2", b"inactive_file", b"\xff\xfe", b"0x10"]))


@given(odd, odd, odd, st.one_of(odd, st.binary(max_size=40).map(lambda path: b"0::/" + path), st.binary(max_size=40).map(lambda path: b"3:memory:/" + path)))
def test_whatever_the_files_hold_an_amount_comes_back(limit, used, stat, membership):
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(Path(folder))
        tree.membership.write_bytes(membership)
        for place in (tree.root, tree.root / "memory"):
            place.mkdir(exist_ok=True)
            for name, content in (("max", limit), ("current", used), ("stat", stat)):
                (place / f"memory.{name}").write_bytes(content)
        groups = tree.groups
        assert all(os.path.commonpath([tree.root, group]) == str(tree.root) for group in groups)
        assert 0 <= available_bytes(groups) <= psutil.virtual_memory().total
        assert 0 <= total_bytes(groups) <= psutil.virtual_memory().total


@given(st.integers(0, 64 * GIB), st.integers(0, 64 * GIB))
def test_a_limit_is_within_what_is_free(available, total):
    assert available // 2 <= safe_limit_bytes(available, total) <= max(available // 2, int(memory_limit.SHARE * available))


@pytest.mark.usefixtures("host")
def test_the_brake_is_put_on_before_the_container_is_full(tree, monkeypatch):
    """The host has plenty: reading its memory alone, the kernel's killer would come first."""
    monkeypatch.setattr(memory_limit, "own_groups", lambda: tree_groups)
    tree.lives_in("0::/")
    tree.group(".", max=16 * GIB, current=8 * GIB)
    tree_groups = tree.groups
    assert watch.shortage() is None
    tree.group(".", current=16 * GIB - 600 * 2**20)
    assert watch.shortage() == {"free": "600 MiB", "total": "16.0 GiB"}
    assert watch.MachineWatch.memory_is_short(None)


@pytest.mark.usefixtures("host")
def test_a_small_container_may_be_measured_in(tree, monkeypatch):
    monkeypatch.setattr(memory_limit, "own_groups", lambda: tree_groups)
    tree.lives_in("0::/")
    tree.group(".", max=GIB, current=GIB // 2)
    tree_groups = tree.groups
    assert watch.shortage() is None, "half of it is free"
    tree.group(".", current=GIB - GIB // 8)
    assert watch.shortage() is not None
