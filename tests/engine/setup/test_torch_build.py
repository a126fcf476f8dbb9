"""Which build of torch is taken, and which one is there."""

from __future__ import annotations

import http.server
import socket
import threading
import time

import pytest

from engine.setup import torch_build
from engine.setup.torch_build import CPU_INDEX, WINDOWS_CUDA_INDEX, Choice, choose, is_gpu_package


@pytest.mark.parametrize(
    ("platform", "gpus", "reachable", "index"),
    [
        ("linux", 0, True, CPU_INDEX),
        ("linux", 0, False, None),
        ("linux", 1, True, None),
        ("win32", 0, True, None),
        ("win32", 2, True, WINDOWS_CUDA_INDEX),
        ("win32", 2, False, None),
        ("darwin", 0, True, None),
    ],
)
def test_the_build_follows_the_driver(platform, gpus, reachable, index):
    assert choose(platform, gpus, {}, lambda url: reachable) == Choice(index)


@pytest.mark.parametrize(("named", "index", "label"), [("default", None, None), ("https://mirror.example/whl/cpu/", "https://mirror.example/whl/cpu/", "cpu"), ("https://mirror.example/simple", "https://mirror.example/simple", None)])
def test_a_named_index_is_taken_unasked(named, index, label):
    def answers(url):
        raise AssertionError("a named index is not tried out")

    choice = choose("linux", 0, {torch_build.INDEX_VARIABLE: named}, answers)
    assert (choice.index, choice.label, choice.is_explicit) == (index, label, True)


def test_the_index_pins_its_build():
    assert Choice(CPU_INDEX).label == "cpu"
    assert Choice(WINDOWS_CUDA_INDEX).label == "cu126"
    assert Choice("https://example.com/whl/rocm6.4").label == "rocm6.4"


@pytest.mark.parametrize(("name", "expected"), [("nvidia-cublas-cu12", True), ("nvidia_nccl_cu13", True), ("cuda-bindings", True), ("nvidia-ml-py", False), ("nvidia_ml_py", False), ("numpy", False)])
def test_gpu_packages(name, expected):
    assert is_gpu_package(name) is expected


def test_an_index_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert not torch_build.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/cpu", limit_s=0.3)
        assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False)])
def test_an_index_must_have_a_page_for_torch(status, expected):
    asked = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Index) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert torch_build.answers(f"http://127.0.0.1:{server.server_port}/whl/cpu") is expected
        thread.join()
    assert asked == ["/whl/cpu/torch/"]


def test_the_installed_build_is_read_without_importing_it(tmp_path):
    assert torch_build.installed_build(tmp_path) is None
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "torch" / "version.py").write_text("__version__ = '2.9.0+cu126'\ncuda = '12.6'\n")
    assert torch_build.installed_build(tmp_path) == ("2.9.0+cu126", "12.6")


def test_no_driver_no_gpu(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(torch_build.ctypes, "CDLL", missing)
    assert torch_build.count_driver_gpus() == 0
