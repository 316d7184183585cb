"""Living processes are told from dead ones, and one folder has one server."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ima2 import Ima2Error
from ima2.jobs.process_lock import ProcessLock, only_server

OPEN_FILES = Path("/proc/self/fd")
CHILD = """
import sys
from pathlib import Path
from ima2.jobs.process_lock import ProcessLock
lock = ProcessLock(Path(sys.argv[1]))
print(lock.id, flush=True)
sys.stdin.read()
"""


def test_a_process_lives_until_it_is_killed_and_its_lock_is_then_gone(tmp_path: Path) -> None:
    own = ProcessLock(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    assert own.is_alive(name)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not own.is_alive(name)
    assert own.is_alive(own.id)
    assert [path.stem for path in (tmp_path / "state" / "owners").iterdir()] == [own.id]
    own.release()
    assert not ProcessLock(tmp_path).is_alive(own.id)


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="counts the files that Linux says are open")
def test_who_has_let_go_holds_no_file_open(tmp_path: Path) -> None:
    before = len(list(OPEN_FILES.iterdir()))
    own = ProcessLock(tmp_path)
    assert len(list(OPEN_FILES.iterdir())) == before + 1
    own.release()
    assert len(list(OPEN_FILES.iterdir())) == before
    assert list((tmp_path / "state" / "owners").iterdir()) == []


@pytest.mark.parametrize("name", ["never-seen", "../../elsewhere", ""])
def test_who_has_left_no_lock_is_gone(tmp_path: Path, name: str) -> None:
    assert not ProcessLock(tmp_path).is_alive(name)


def test_the_second_server_of_a_folder_is_told_where_the_first_is(tmp_path: Path) -> None:
    with only_server(tmp_path, ""):
        second = only_server(tmp_path, " at http://localhost:3333, process 7")
        with pytest.raises(Ima2Error, match=r"already at http://localhost:3333, process 7\.") as caught, second:
            raise AssertionError("two servers")
        assert caught.value.code == "SERVER_RUNNING"
        with only_server(tmp_path / "another", ""):
            pass
    with only_server(tmp_path, ""):
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Ima2Error, match="IMA2_CONFIG_DIR") as caught:
        ProcessLock(tmp_path / "file")
    assert caught.value.code == "CONFIG_DIR_UNWRITABLE"
