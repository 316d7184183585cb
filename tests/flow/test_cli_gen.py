"""The real ``ima2`` against a real server, and without one."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.flow.cli import Cli, document, running, until


def test_a_picture_goes_to_its_file_and_the_gallery(serve: Any, at_work: Any) -> None:
    served = serve()
    cli = at_work(served.environ)
    done = cli("gen", "a red fox", "--provider", "demo", "-s", "64x64", "-o", "fox.png", "--option", "seed=7")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "✓ fox.png"
    assert done.stdout.splitlines()[1].startswith("elapsed ")
    assert done.stderr == ""
    (kept,) = served.generated.glob("*_0.png")
    assert (cli.folder / "fox.png").read_bytes() == kept.read_bytes()
    listed = document(cli("ls", "--json"))
    assert [(row["filename"], row["prompt"], row["size"]) for row in listed["items"]] == [
        (kept.name, "a red fox", "64x64")
    ]
    assert listed["total"] == 1
    shown = document(cli("show", kept.name[:16], "--metadata", "--json"))
    assert shown["metadata"]["prompt"] == "a red fox"


def test_without_a_destination_the_gallery_has_the_only_copy(serve: Any, at_work: Any) -> None:
    served = serve()
    cli = at_work(served.environ)
    answer = document(cli("gen", "sea", "--provider", "demo", "-s", "64x64", "-n", "2", "--json"))
    paths = [Path(row["path"]) for row in answer["images"]]
    assert [path.parent for path in paths] == [served.generated] * 2
    assert sorted(served.generated.glob("*.png")) == sorted(paths)
    assert [path.name for path in paths] == [row["filename"] for row in answer["images"]]
    assert answer["server"] == f"http://127.0.0.1:{served.port}"


def test_formats_and_standard_output(serve: Any, at_work: Any) -> None:
    cli = at_work(serve().environ)
    common = ("--provider", "demo", "-s", "64x64")
    assert cli("gen", "sea", *common, "-o", "sea.webp").returncode == 0
    assert (cli.folder / "sea.webp").read_bytes()[8:12] == b"WEBP"
    answer = document(cli("gen", "sea", *common, "--format", "jpeg", "-d", "out", "--json"))
    assert answer["images"][0]["path"].endswith(".jpeg")
    raw = subprocess.run(
        [str(cli.executable), "gen", "sea", *common, "-o", "-"], env=cli.environ, capture_output=True, check=True
    )
    assert raw.stdout.startswith(b"\x89PNG")
    assert raw.stdout.endswith(b"IEND\xaeB`\x82")


def test_a_refusal_keeps_its_code_and_exit(serve: Any, at_work: Any) -> None:
    cli = at_work(serve().environ)
    refused = cli("gen", "a cat demo:fail=refuse", "--provider", "demo", "--json")
    assert refused.returncode == 7
    assert document(refused)["code"] == "SAFETY_REFUSAL"
    assert "Hint:" in refused.stderr
    assert cli("gen", "a cat", "--provider", "nobody").returncode == 2
    offline = cli("gen", "a cat demo:fail=offline", "--provider", "demo")
    assert offline.returncode == 6


def test_ctrl_c_cancels_the_job_on_the_server(serve: Any, at_work: Any) -> None:
    served = serve()
    process = at_work(served.environ).start("gen", "a boat demo:delay=60000", "--provider", "demo", "--json")
    job = until(lambda: running(served))[0]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert running(served) == []
    ended = served.client.get("/api/inflight?includeTerminal=1").json()["terminalJobs"]
    assert [(one["requestId"], one["status"]) for one in ended] == [(job["requestId"], "canceled")]
    assert "cancelled on the server" in err
    told = json.loads(out)
    assert (told["ok"], told["code"], told["requestId"]) == (False, "INTERRUPTED", job["requestId"])


def test_another_terminal_lists_and_cancels_it(serve: Any, at_work: Any) -> None:
    served = serve()
    cli = at_work(served.environ)
    process = cli.start("gen", "slow demo:delay=60000", "--provider", "demo", "--json")
    job = until(lambda: running(served))[0]["requestId"]
    listed = document(cli("ps", "--json"))
    assert [one["requestId"] for one in listed["jobs"]] == [job]
    assert document(cli("cancel", job, "--json")) == {"ok": True, "requestId": job}
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 5
    assert (json.loads(out)["ok"], json.loads(out)["code"]) == (False, "GENERATION_CANCELED")
    again = cli("cancel", job)
    assert again.returncode == 0
    assert "not running" in again.stderr


def test_a_detached_job_goes_on_alone(serve: Any, at_work: Any) -> None:
    served = serve()
    cli = at_work(served.environ)
    done = cli("gen", "sea demo:delay=500", "--provider", "demo", "-s", "64x64", "--detach")
    job = done.stdout.strip()
    assert done.returncode == 0
    until(lambda: [row for row in document(cli("ls", "--json"))["items"] if row["requestId"] == job])


def test_a_job_that_outlives_the_time_limit_is_left_running_and_named(serve: Any, at_work: Any) -> None:
    served = serve()
    cli = at_work(served.environ)
    done = cli("gen", "sea demo:delay=60000", "--provider", "demo", "--timeout", "1", "--json")
    assert done.returncode == 8
    assert document(done)["requestId"] == running(served)[0]["requestId"]


def test_a_server_that_dies_under_a_job_is_told(serve: Any, at_work: Any) -> None:
    served = serve()
    process = at_work(served.environ).start("gen", "a boat demo:delay=60000", "--provider", "demo", "--json")
    until(lambda: running(served))
    served.stop(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert json.loads(out)["code"] == "CONNECTION_LOST"


def test_a_terminal_shows_one_live_line_and_keeps_it_clean(serve: Any, at_work: Any) -> None:
    served = serve()
    ours, theirs = pty.openpty()
    cli = at_work({**served.environ, "TERM": "xterm"})
    process = cli.start("gen", "sea demo:delay=1500", "--provider", "demo", "-s", "64x64", "-o", "a.png", stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    drawn = b""
    with contextlib.suppress(OSError):
        while select.select([ours], [], [], 0.5)[0] and (piece := os.read(ours, 65536)):
            drawn += piece
    os.close(ours)
    assert "drawing  1s" in drawn.decode()
    assert drawn.endswith(b"\r\x1b[K")
    assert b"\n" not in drawn
    assert out.startswith("✓ a.png")


def test_without_a_server_the_work_is_done_here(serverless: Cli, tmp_path: Path) -> None:
    done = serverless("gen", "a red fox", "--provider", "demo", "-s", "64x64", "--json")
    assert done.returncode == 0, done.stderr
    assert "No server is running; doing it here." in done.stderr
    answer = document(done)
    assert answer["server"] is None
    (row,) = answer["images"]
    path = Path(row["path"])
    assert path.parent == tmp_path / "home" / "generated"
    names = sorted(one.name for one in path.parent.iterdir())
    assert names == sorted([path.name, f"{path.name}.json", f"{path.stem}.thumb.jpg"])
    assert json.loads((path.parent / f"{path.name}.json").read_bytes())["requestId"] == answer["requestId"]


def test_without_a_server_the_gallery_of_this_machine_is_listed_and_shown(serverless: Cli, tmp_path: Path) -> None:
    assert serverless("gen", "a red fox", "--provider", "demo", "-s", "64x64").returncode == 0
    (home := tmp_path / "home" / "generated").joinpath("by_hand.png").write_bytes(next(home.glob("*.png")).read_bytes())
    done = serverless("ls", "--json")
    assert "this is the gallery of this machine" in done.stderr
    names = {row["filename"] for row in document(done)["items"]}
    assert "by_hand.png" in names
    assert len(names) == 2
    shown = serverless("show", "by_hand")
    assert shown.returncode == 0
    assert str(home / "by_hand.png") in shown.stdout


def test_without_a_server_nodes_are_grown_and_shown_here(serverless: Cli) -> None:
    grown = document(serverless("node", "generate", "a harbour", "--provider", "demo", "-s", "64x64", "--json"))
    shown = serverless("node", "show", grown["nodeId"], "--json")
    assert document(shown)["nodeId"] == grown["nodeId"]


def test_what_was_made_here_is_in_the_list_of_a_later_server(
    serve: Any, serverless: Cli, at_work: Any, tmp_path: Path
) -> None:
    assert serverless("gen", "a red fox", "--provider", "demo", "-s", "64x64", "-o", "f.png").returncode == 0
    served = serve(home=tmp_path / "home")
    listed = document(at_work(served.environ)("ls", "--json"))
    assert [row["prompt"] for row in listed["items"]] == ["a red fox"]
    assert running(served) == []


def test_without_a_server_refusals_and_mistakes_end_as_they_do_with_one(serverless: Cli) -> None:
    refused = serverless("gen", "a cat demo:fail=refuse", "--provider", "demo", "--json")
    assert (refused.returncode, document(refused)["code"]) == (7, "SAFETY_REFUSAL")
    assert document(refused)["requestId"].startswith("req_cli_gen_")
    assert serverless("gen", "a cat", "--provider", "nobody").returncode == 2
    assert serverless("gen", "a cat", "--provider", "demo", "--model", "other").returncode == 2
    assert serverless("gen", "a cat", "--provider", "demo", "--detach").returncode == 3
    late = serverless("gen", "a cat demo:delay=60000", "--provider", "demo", "--timeout", "1", "--json")
    assert (late.returncode, document(late)["code"]) == (8, "CLIENT_TIMEOUT")


def test_ctrl_c_without_a_server_cancels_the_work(serverless: Cli, tmp_path: Path) -> None:
    process = serverless.start("gen", "a boat demo:delay=60000", "--provider", "demo")
    owners = tmp_path / "home" / "state" / "owners"
    until(lambda: owners.is_dir() and any(owners.iterdir()))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Stopped: the job was cancelled." in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["ping", "ps", "ls", "status", "cancel x"])
def test_asking_imports_no_web_framework_and_no_database(serve: Any, command: str) -> None:
    served = serve()
    heavy = "fastapi starlette uvicorn sqlalchemy pydantic PIL pluggy stevedore"
    script = (
        "import sys; from ima2.cli import run; "
        f"code = run({command.split()!r}); "
        f"found = [name for name in {heavy.split()!r} if name in sys.modules]; "
        "sys.exit(f'imported: {found}' if found else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=dict(served.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
