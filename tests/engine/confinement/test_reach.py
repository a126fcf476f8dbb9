"""Files and variables that a confined worker may still see."""

from __future__ import annotations

import os

import pytest

from engine.confinement import environment, namespaces, reach
from engine.process import APPLICATION_FOLDER, child_environment


def test_of_the_home_folder_only_the_code_is_readable(tmp_path):
    """A class file that lies there makes neither keys nor documents readable."""
    for name in ("net.py", ".hidden.py", "package/__init__.py", "documents/letter.txt", ".ssh/key", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    read, names = reach.opened((str(tmp_path),), home=str(tmp_path))
    assert set(read) == {str(tmp_path / "net.py"), str(tmp_path / "package")}
    assert names == (str(tmp_path),)
    above, _ = reach.opened((str(tmp_path.parent),), home=str(tmp_path))
    assert str(tmp_path) not in above


def test_any_other_folder_is_readable(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home2").mkdir()
    paths = (str(tmp_path / "home2"), str(tmp_path / "home" / "project"), str(tmp_path / "file"))
    assert reach.opened(paths, home=str(tmp_path / "home")) == (paths, ())


def test_python_its_packages_and_the_program_are_readable():
    import torch

    own = reach.pythons_own()
    for path in (os.__file__, torch.__file__, str(APPLICATION_FOLDER / "engine" / "job.py")):
        assert any(os.path.realpath(path).startswith(folder + "/") for folder in (*own, *reach.SYSTEM)), path


def test_no_folder_of_keys_is_readable_as_a_whole():
    assert not {"/", "/etc", "/root", "/home", "/var", "/dev", "/run", "/tmp", "/etc/ssl", "/etc/shadow"} & set(reach.SYSTEM)


def test_gpus_are_devices_only_where_they_are_wanted():
    assert set(reach.devices(False)) == {"/dev/null", "/dev/full"}
    assert set(reach.devices(False)) <= set(reach.devices(True))


def test_the_scratch_folder_hides_nothing_that_is_needed():
    first = namespaces.scratch_place(())
    assert first is not None
    assert namespaces.scratch_place((f"{first}/model.pt",)) not in (first, None)
    assert namespaces.scratch_place((first,)) != first
    assert namespaces.scratch_place((first + "-beside",)) == first


@pytest.mark.parametrize("name", [
    "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "OPENAI_API_KEY", "GITHUB_TOKEN", "PGPASSWORD", "SSH_AUTH_SOCK", "DATABASE_URL", "http_proxy", "TORCH_HUB_TOKEN",
    "MODEL_DYNO_PASSWORD", "PYTHON_KEYRING_AUTH", "DBUS_SESSION_BUS_ADDRESS", "XAUTHORITY", "GOOGLE_APPLICATION_CREDENTIALS",
])
def test_what_may_be_a_secret_stays(name, monkeypatch):
    monkeypatch.setenv(name, "verysecret")
    assert "verysecret" not in child_environment().values()


@pytest.mark.parametrize("name", [
    "PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "KMP_AFFINITY", "GOMP_CPU_AFFINITY", "TORCH_LOGS", "PYTORCH_CUDA_ALLOC_CONF", "TMPDIR", "XDG_CACHE_HOME", "MODEL_DYNO_HOME", "VIRTUAL_ENV",
    "CONDA_PREFIX", "TZ", "MALLOC_ARENA_MAX", "SystemRoot",
])
def test_what_changes_figures_or_is_needed_goes_on(name, monkeypatch):
    monkeypatch.setenv(name, "kept")
    assert child_environment()[name] == "kept"
    assert environment.without_secrets({name: "kept", "SECRET": "x"}) == {name: "kept"}


def test_a_list_of_all_variables_is_what_children_get():
    assert all(environment.may_pass(name) for name in child_environment())
