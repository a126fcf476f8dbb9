"""What the window takes in: files together, folders, what is no model, and Python for a class."""

from __future__ import annotations

import msgspec
import pytest

from engine import events
from engine.words import failure
from gui.models.folders import MODELS_LIMIT, look_inside
from tests.gui.models.test_session import UNREADABLE, Desk
from tests.support.fake_engine import inspected

FOLDER = failure("load-failed", "file-folder", {"name": "f"})
FOLDER_WITH = failure("load-failed", "file-folder-with", {"name": "f", "inside": "a.pth"})


@pytest.fixture
def desk(qapp, tmp_path):
    return Desk(tmp_path / "settings").start()


def paths(desk):
    return [entry.path for entry in desk.session.models.entries]


def open_all(desk, *opened):
    desk.session.opening.open([str(path) for path in opened])


def test_five_files_at_once(desk):
    """Each is looked at; the first that can run is current; refusals are all said."""
    desk.engine.files = {
        "/a.pth": inspected("/a.pth", kind="state-dict"), "/b.txt": events.FileInspected(path="/b.txt", refusal=UNREADABLE), "/c.onnx": inspected("/c.onnx", kind="onnx"),
        "/d.html": events.FileInspected(path="/d.html", refusal=UNREADABLE), "/e.jit": inspected("/e.jit"),
    }
    open_all(desk, *desk.engine.files)
    assert paths(desk) == ["/a.pth", "/c.onnx", "/e.jit"]
    assert desk.session.models.current.path == "/c.onnx" and len(desk.problems) == 2
    assert [call[1].path for call in desk.engine.calls if call[0] == "examine"] == ["/c.onnx"]


def test_what_is_no_model_leaves_everything_as_it_was(desk):
    """The model before it stays the current one, whatever its place in the list."""
    desk.load("/a.jit")
    desk.load("/b.jit")
    desk.session.models.select(0)
    desk.load("/x.txt", info=None, refusal=UNREADABLE)
    assert paths(desk) == ["/a.jit", "/b.jit"] and desk.session.models.current.path == "/a.jit"
    assert len(desk.problems) == 1 and desk.problems[0].hint


def test_a_model_and_its_class_file_together(desk):
    """The file that defines the class is looked into with the weights, and asked about once."""
    desk.engine.files["/w.pth"] = inspected("/w.pth", kind="state-dict")
    open_all(desk, "/w.pth", "/nets.py")
    assert ("inspect", "/w.pth", ("/nets.py",)) in desk.engine.calls
    assert desk.classes == ["/nets.py"]


def test_a_folder_that_is_a_model(desk, tmp_path):
    """It goes into the list as one."""
    desk.engine.files[str(tmp_path)] = inspected(str(tmp_path), kind="huggingface")
    open_all(desk, tmp_path)
    assert paths(desk) == [str(tmp_path)] and desk.session.models.current.kind == "huggingface"


def test_a_folder_with_models_in_it(desk, tmp_path):
    """They are opened, with the folder's Python near them, and named."""
    folder = tmp_path / "模型 runs"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.pth", "deep/b.onnx", "notes.txt", ".hidden.pth"):
        (folder / name).touch()
    desk.engine.files = {str(folder): events.FileInspected(path=str(folder), refusal=FOLDER_WITH)}
    for name in ("a.pth", "deep/b.onnx"):
        desk.engine.files[str(folder / name)] = inspected(str(folder / name))
    open_all(desk, folder)
    assert paths(desk) == [str(folder / "a.pth"), str(folder / "deep/b.onnx")]
    assert ("inspect", str(folder / "a.pth"), (str(folder),)) in desk.engine.calls
    assert [met.is_notice for met in desk.problems] == [True] and "a.pth, deep/b.onnx" in desk.problems[0].summary


def test_a_folder_with_too_many_models(desk, tmp_path):
    """The first twenty are opened, and it is said how many there are."""
    for number in range(MODELS_LIMIT + 3):
        (tmp_path / f"{number:02}.pth").touch()
    desk.engine.files[str(tmp_path)] = events.FileInspected(path=str(tmp_path), refusal=FOLDER_WITH)
    open_all(desk, tmp_path)
    assert len(paths(desk)) == MODELS_LIMIT and str(MODELS_LIMIT + 3) in desk.problems[0].summary


def test_a_folder_of_python_is_for_the_current_model(desk, tmp_path):
    """Its classes are looked for there; without a model it says so."""
    (tmp_path / "nets.py").touch()
    desk.engine.files[str(tmp_path)] = events.FileInspected(path=str(tmp_path), refusal=FOLDER)
    open_all(desk, tmp_path)
    assert len(desk.problems) == 1 and not paths(desk)
    desk.load("/w.pth", kind="state-dict")
    open_all(desk, tmp_path)
    assert desk.engine.calls[-1] == ("inspect", "/w.pth", (str(tmp_path),)) and len(desk.problems) == 1


def test_an_empty_folder_is_said(desk, tmp_path):
    """As any other thing that is no model."""
    desk.engine.files[str(tmp_path)] = events.FileInspected(path=str(tmp_path), refusal=FOLDER)
    open_all(desk, tmp_path)
    assert [met.summary for met in desk.problems] == [FOLDER.summary] and not paths(desk)


def test_folders_are_looked_into_by_name_and_links_are_not_followed(tmp_path):
    """A link in a circle ends nowhere; what cannot be read is as if it were empty."""
    (tmp_path / "in" / "deeper" / "deepest").mkdir(parents=True)
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    (tmp_path / "in" / "a.PT").touch()
    (tmp_path / "in" / "deeper" / "deepest" / "far.pth").touch()
    inside = look_inside(str(tmp_path))
    assert inside.models == (str(tmp_path / "in" / "a.PT"),) and not inside.has_python
    assert look_inside(str(tmp_path / "gone")).count == 0


def test_a_link_is_opened_under_its_own_name(desk, tmp_path):
    """The list says what the user dropped."""
    (tmp_path / "real.jit").touch()
    (tmp_path / "link.jit").symlink_to(tmp_path / "real.jit")
    open_all(desk, tmp_path / "link.jit")
    assert paths(desk) == [str(tmp_path / "link.jit")]


def test_the_user_who_moves_on_is_not_called_back(desk):
    """A slow drop does not take the screen from another model that was chosen meanwhile."""
    desk.load("/a.jit")
    desk.load("/b.jit")
    open_all(desk, "/slow.jit")
    desk.session.models.select(0)
    desk.engine.emit(inspected("/slow.jit"))
    assert desk.session.models.current.path == "/a.jit"


def test_a_file_taken_off_while_it_is_looked_at(desk):
    """Nobody waits for it any more, and its answer is nothing."""
    open_all(desk, "/slow.jit")
    assert not desk.session.opening.is_settled
    desk.session.models.remove(0)
    assert desk.session.opening.is_settled and desk.engine.calls[-1] == ("stop_looking", "/slow.jit")
    desk.engine.emit(inspected("/slow.jit"))
    assert not paths(desk) and not desk.problems


def test_an_inspection_can_be_stopped(desk):
    """What the file is stays unknown; the list is as before."""
    open_all(desk, "/slow.jit")
    desk.session.stop_looking()
    assert not paths(desk) and ("stop_looking", "/slow.jit") in desk.engine.calls


def test_the_same_file_with_other_bytes_forgets_its_class_of_old(desk):
    """Its class belonged to other weights."""
    entry = desk.load("/w.pth", kind="checkpoint", weights_places=("model", "ema"))
    desk.session.discovery.set_place("ema")
    changed = inspected("/w.pth", kind="checkpoint")
    desk.engine.emit(msgspec.structs.replace(changed, info=msgspec.structs.replace(changed.info, sha256="e" * 64)))
    assert entry.weights_at is None
