"""What ``ima2 video`` and its subcommands send, hear and keep."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")

ROUTE = "POST /api/video/generate"
CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(40)
VIDEO = {"duration": 10, "requestedModel": "a", "effectiveModel": "b", "modelFallback": {"from": "a", "to": "b"}}
DONE = {
    "filename": "17_ab.mp4",
    "url": "/generated/17_ab.mp4",
    "elapsed": 61.2,
    "revisedPrompt": "A grey cat " + "plays " * 20,
    "video": VIDEO,
}
STEPS = [
    ("planning", {"requestId": "r"}),
    ("submitted", {"requestId": "r", "xaiVideoRequestId": "up-1"}),
    ("progress", {"requestId": "r", "progress": None}),
    ("progress", {"requestId": "r", "progress": 0.5}),
]


@pytest.fixture
def filming(stub: Any, told: Callable[..., None]) -> Any:
    """A server that makes a clip."""
    told(ROUTE, *STEPS, ("done", DONE))
    stub.on("GET /generated/17_ab.mp4", CLIP)
    return stub


def body_of(stub: Any, route: str = ROUTE) -> dict[str, Any]:
    (asked,) = stub.asked(route)
    body: dict[str, Any] = dict(asked.body)
    assert body.pop("queue", route.endswith("analyze")) is True
    return body


# -- making ---------------------------------------------------------------------------------------


def test_a_clip_is_ordered_followed_and_fetched(ima2: Any, filming: Any) -> None:
    answer = ima2("video", "a cat", "playing piano", "--duration", "10", "-o", "cat.mp4")
    assert answer.code == 0
    body = body_of(filming)
    request_id = body.pop("requestId")
    assert re.fullmatch(r"req_cli_video_[0-9a-z]+_[0-9a-z]{6}", request_id)
    assert filming.asked(ROUTE)[0].headers["x-request-id"] == request_id
    assert filming.asked(ROUTE)[0].headers["accept"] == "text/event-stream"
    assert body == {"prompt": "a cat playing piano", "duration": 10, "resolution": "480p", "aspectRatio": "auto"}
    assert Path("cat.mp4").read_bytes() == CLIP
    planning, submitted, path, elapsed, revised = answer.out.splitlines()
    assert (planning, submitted, path, elapsed) == ("planning", "submitted up-1", "✓ cat.mp4", "elapsed 61.2s")
    assert revised.startswith("A grey cat plays")
    assert len(revised) <= 80
    assert answer.err == ""


def test_json_passes_on_what_the_server_says_of_the_clip(ima2: Any, filming: Any) -> None:
    answer = ima2("video", "x", "-d", "out", "--json")
    assert answer.json == {
        "ok": True,
        "requestId": body_of(filming)["requestId"],
        "path": "out/17_ab.mp4",
        "filename": "17_ab.mp4",
        "elapsed": 61.2,
        "video": VIDEO,
        "revisedPrompt": DONE["revisedPrompt"],
    }
    assert Path("out/17_ab.mp4").read_bytes() == CLIP


def test_a_file_in_the_folder_is_never_overwritten(ima2: Any, filming: Any) -> None:
    Path("out").mkdir()
    Path("out/17_ab.mp4").write_bytes(b"mine")
    assert ima2("video", "x", "-d", "out", "--json").json["path"] == "out/17_ab-1.mp4"
    assert Path("out/17_ab.mp4").read_bytes() == b"mine"


def test_a_clip_that_the_gallery_of_this_machine_has_is_not_copied(ima2: Any, filming: Any, home: Path) -> None:
    (home / "generated").mkdir(parents=True)
    (home / "generated/17_ab.mp4").write_bytes(CLIP)
    assert ima2("video", "x", "--json").json["path"] == str(home / "generated/17_ab.mp4")
    assert len(list((home / "generated").iterdir())) == 1


@pytest.mark.parametrize("filename", ["../../evil.mp4", "/etc/evil.mp4", ".."])
def test_a_name_of_the_server_cannot_leave_the_folder(ima2: Any, filming: Any, told: Any, filename: str) -> None:
    told(ROUTE, ("done", {**DONE, "filename": filename}))
    path = Path(ima2("video", "x", "-d", "out", "--json").json["path"])
    assert path.parent == Path("out")
    assert path.read_bytes() == CLIP


def test_everything_that_was_said_is_sent(ima2: Any, filming: Any, pixel: Callable[[int], bytes]) -> None:
    valid = {"videoModels": {"supported": ["m"]}, "imageModels": {"supported": ["i"]}, "providers": ["auto", "p"]}
    filming.on("GET /api/capabilities", {"valid": valid})
    Path("a.png").write_bytes(pixel(1))
    words = "--model m --provider p --planner-model q --storyboard --topic t --session s --ref a.png"
    assert ima2("video", "x", *words.split(), "--aspect-ratio", "9:16", "--resolution", "720p").code == 0
    body = body_of(filming)
    del body["requestId"]
    assert body == {
        "prompt": "x",
        "duration": 5,
        "resolution": "720p",
        "aspectRatio": "9:16",
        "model": "m",
        "provider": "p",
        "plannerModel": "q",
        "storyboard": True,
        "sessionId": "s",
        "topic": "t",
        "sourceImage": base64.b64encode(pixel(1)).decode(),
    }
    assert ima2("video", "x", "--model", "i").code == 2


def test_several_pictures_are_references(ima2: Any, filming: Any, pixel: Callable[[int], bytes]) -> None:
    for number in range(2):
        Path(f"{number}.png").write_bytes(pixel(number))
    assert ima2("video", "x", "--ref", "0.png", "--ref", "1.png", "--duration", "10").code == 0
    sent = body_of(filming)
    assert sent["referenceImages"] == [base64.b64encode(pixel(number)).decode() for number in range(2)]
    assert "sourceImage" not in sent


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "prompt is missing"),
        ((" ",), "dialogue|speaks"),
        (("x", "--duration", "16"), "--duration"),
        (("x", "--duration", "0"), "--duration"),
        (("x", "--duration", "1.5"), "--duration"),
        (("x", "--duration", "+5"), "--duration"),
        (("x", "--duration", "1_0"), "--duration"),
        (("x", "--resolution", "1080p"), "--resolution"),
        (("x", "--aspect-ratio", "5:4"), "--aspect-ratio"),
        (("x", "--timeout", "0"), "--timeout"),
        (("x", "--timeout", "soon"), "--timeout"),
        (("x", "--fps", "24"), "unknown option: --fps"),
        (("x", *("--ref", "r.png") * 8), "7 pictures at most"),
        (("x", *("--ref", "r.png") * 2, "--duration", "11"), "--duration.*10 seconds"),
        (("x", "--ref", "gone.png"), "gone.png"),
        (("edit", "x"), "--video"),
        (("edit", "--video", "a.mp4"), "prompt is missing"),
        (("edit", "x", "--video", "a.mp4", "--duration", "3"), "unknown option: --duration"),
        (("extend", "x", "--video", "a.mp4", "--duration", "11"), "--duration"),
        (("extend", "x", "--video", "a.mp4", "--duration", "1"), "--duration"),
        (("continue", "x", "--video", "a.mp4", "--duration", "16"), "--duration"),
        (("frame", "a.mp4", "--last", "--position", "1"), "--position"),
        (("frame", "a.mp4", "--position", "-1"), "--position"),
        (("frame",), "CLIP"),
        (("analyze", "a.mp4", "--out", "x"), "unknown option: --out"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2_and_asks_nobody(
    ima2: Any, stub: Any, args: tuple[str, ...], said: str
) -> None:
    Path("r.png").write_bytes(b"x")
    answer = ima2("video", *args)
    assert answer.code == 2
    assert re.search(said, answer.err)
    assert stub.requests == []


@pytest.mark.parametrize(
    ("args", "prompt"),
    [
        (("--json", "edit", "x"), "edit x"),
        (("make", "a", "cake"), "make a cake"),
        (("-o", "a.mp4", "frame", "by", "frame"), "frame by frame"),
        (("--", "-5", "degrees"), "-5 degrees"),
        (("a", "--", "--json"), "a --json"),
    ],
)
def test_only_the_first_word_names_a_subcommand(ima2: Any, filming: Any, args: tuple[str, ...], prompt: str) -> None:
    assert ima2("video", *args).code == 0
    assert body_of(filming)["prompt"] == prompt


def test_the_help_holds_what_scripts_look_for(ima2: Any) -> None:
    answer = ima2("video", "--help")
    tokens = ["--duration <1..15>", "--duration <2..10>", "--topic <text>"]
    tokens += [f"ima2 video {name}" for name in ("edit", "extend", "continue", "frame", "analyze")]
    assert answer.code == 0
    assert [token for token in tokens if token not in answer.out] == []


@pytest.mark.parametrize(
    ("data", "exit_code"),
    [
        ({"error": "no key", "code": "API_KEY_REQUIRED", "status": 401}, 5),
        ({"error": "say more", "code": "PROMPT_REQUIRED", "status": 400, "guidance": "Say how it moves."}, 5),
        ({"error": "gone", "code": "GROK_VIDEO_EMPTY_RESPONSE", "status": 502}, 6),
    ],
)
def test_an_error_event_ends_as_its_code_says(ima2: Any, told: Any, data: dict[str, Any], exit_code: int) -> None:
    told(ROUTE, STEPS[0], ("error", data))
    answer = ima2("video", "x", "--json")
    assert answer.code == exit_code
    assert (answer.json["ok"], answer.json["code"], answer.json.get("guidance")) == (
        False,
        data["code"],
        data.get("guidance"),
    )
    assert data.get("guidance", "") in answer.err.splitlines() or "guidance" not in data


def test_a_stream_without_a_last_word_is_a_failure(ima2: Any, told: Any) -> None:
    told(ROUTE, *STEPS)
    assert ima2("video", "x").code == 6


def test_a_last_word_without_a_clip_is_a_failure(ima2: Any, told: Any) -> None:
    told(ROUTE, ("done", {"elapsed": 1}))
    answer = ima2("video", "x", "--json")
    assert (answer.code, answer.json["code"]) == (1, "NO_VIDEO")


def test_a_clip_whose_stream_broke_is_collected(ima2: Any, stub: Any, told: Any) -> None:
    told(ROUTE, *STEPS, None)
    row = {"status": "completed", "meta": {"filename": "v.mp4"}}
    stub.on(
        "GET /api/inflight",
        lambda _: (200, {"terminalJobs": [{**row, "requestId": body_of(stub)["requestId"]}]}),
    )
    stub.on("GET /generated/v.mp4", CLIP)
    answer = ima2("video", "x", "-d", "out", "--json").json
    assert (answer["recovered"], answer["path"]) == (True, "out/v.mp4")


def test_without_a_server_the_clip_is_made_here_by_whoever_is_installed(ima2: Any) -> None:
    answer = ima2("video", "x")
    assert "No server is running; doing it here." in answer.err
    assert (answer.code, "VIDEO_PROVIDER_UNSUPPORTED" in answer.err) == (5, True)


def test_a_terminal_shows_how_far_it_is(ima2: Any, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    def slow() -> Any:
        for name, data in STEPS:
            yield f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
        time.sleep(0.6)
        yield f"event: done\ndata: {json.dumps(DONE)}\n\n".encode()

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("ima2.cli.progress.ASK_S", 0.05)
    monkeypatch.setattr("ima2.cli.progress.DRAW_S", 0.05)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    stub.on(ROUTE, lambda _: (200, slow()))
    stub.on("GET /generated/17_ab.mp4", CLIP)
    assert ima2("video", "x", "-o", "a.mp4").code == 0
    assert "██████████░░░░░░░░░░ 50%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


# -- going on from a clip -------------------------------------------------------------------------


@pytest.mark.parametrize("clip", ["17.mp4", "/generated/17.mp4", "/home/me/.ima2/generated/17.mp4"])
def test_a_clip_is_continued_by_its_name(ima2: Any, filming: Any, clip: str) -> None:
    answer = ima2("video", "continue", "the door", "opens", "--video", clip)
    assert answer.code == 0
    body = body_of(filming)
    assert re.fullmatch(r"req_cli_video_continue_[0-9a-z]+_[0-9a-z]{6}", body.pop("requestId"))
    assert body == {
        "prompt": "the door opens",
        "duration": 5,
        "resolution": "720p",
        "aspectRatio": "auto",
        "continueFromVideo": "17.mp4",
    }
    assert answer.out.splitlines()[-1] == "✓ /generated/17_ab.mp4"
    assert filming.asked("GET /generated/17_ab.mp4") == []


def test_a_continued_clip_is_told_indented_and_fetched_where_a_file_is_named(ima2: Any, filming: Any) -> None:
    answer = ima2("video", "continue", "x", "--video", "1.mp4", "--output", "b.mp4", "--json")
    assert json.loads(answer.out) == {**DONE, "path": "b.mp4"}
    assert answer.out.startswith('{\n  "filename"')
    assert Path("b.mp4").read_bytes() == CLIP


# -- changing a clip ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["edit", "extend"])
def test_a_change_sends_the_clip_as_it_was_given(ima2: Any, stub: Any, kind: str) -> None:
    route = f"POST /api/video/{kind}"
    answered = {"requestId": "up", "url": "/generated/new.mp4", "filename": "new.mp4", "duration": 11, "model": "m"}
    stub.on(route, answered)
    stub.on("GET /generated/new.mp4", CLIP)
    clip = "/home/me/.ima2/generated/17.mp4"
    answer = ima2("video", kind, "make it", "dusk", "--video", clip)
    assert answer.code == 0
    body = body_of(stub, route)
    assert stub.asked(route)[0].headers["x-request-id"] == body.pop("requestId")
    more = {"duration": 6} if kind == "extend" else {}
    assert body == {"prompt": "make it dusk", "videoUrl": clip, **more}
    assert answer.out == ("✓ /generated/new.mp4  11 s\n" if kind == "extend" else "✓ /generated/new.mp4\n")
    saved = ima2("video", kind, "x", "--video", clip, "-o", "deep/er.mp4", "--json")
    assert json.loads(saved.out) == {**answered, "path": "deep/er.mp4"}
    assert Path("deep/er.mp4").read_bytes() == CLIP


def test_a_refused_change_keeps_its_code(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/video/edit", {"error": "the upstream refused"}, 502)
    answer = ima2("video", "edit", "x", "--video", "a.mp4", "--json")
    assert (answer.code, answer.json["code"], answer.json["status"]) == (6, "HTTP_502", 502)


def test_a_change_that_takes_too_long_ends_with_8_in_time(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/video/edit", lambda _: (stub.closing.wait(30), (200, None))[1])
    began = time.monotonic()
    answer = ima2("video", "edit", "x", "--video", "a.mp4", "--timeout", "1")
    assert time.monotonic() - began < 4
    assert answer.code == 8
    assert "CLIENT_TIMEOUT" in answer.err
    assert answer.err.count("\n") == 1


# -- looking into a clip --------------------------------------------------------------------------


def test_a_frame_is_saved_where_it_was_asked_for(ima2: Any, stub: Any, pixel: Callable[[int], bytes]) -> None:
    stub.on("GET /api/video/frame", pixel(6))
    answer = ima2("video", "frame", "17 ü.mp4", "--position", "2.5", "--out", "a/b.png")
    assert answer.code == 0
    assert "Frame saved: a/b.png" in answer.out
    assert Path("a/b.png").read_bytes() == pixel(6)
    assert stub.asked("GET /api/video/frame")[0].query == {"file": "17 ü.mp4", "position": "2.5"}


def test_frames_without_a_name_are_called_after_the_clip_and_overwrite_nothing(
    ima2: Any, stub: Any, pixel: Callable[[int], bytes]
) -> None:
    stub.on("GET /api/video/frame", pixel(6))
    for _ in range(2):
        assert ima2("video", "frame", "/x/generated/17.mp4", "--last").code == 0
    assert {one.query["file"] for one in stub.asked("GET /api/video/frame")} == {"17.mp4"}
    assert {one.query["position"] for one in stub.asked("GET /api/video/frame")} == {"last"}
    assert sorted(path.name for path in Path.cwd().glob("*.png")) == ["frame-17-1.png", "frame-17.png"]


def test_something_that_is_no_picture_is_not_saved(ima2: Any, stub: Any) -> None:
    stub.on("GET /api/video/frame", b"<html>")
    answer = ima2("video", "frame", "17.mp4", "-o", "a.png")
    assert answer.code == 1
    assert not Path("a.png").exists()


def test_an_analysis_is_its_words_or_indented_json(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/video/analyze", {"analysis": "A boat é drifts.", "model": "m", "method": "first-last-frame"})
    assert ima2("video", "analyze", "17.mp4").out == "A boat é drifts.\n"
    assert body_of(stub, "POST /api/video/analyze") == {"videoUrl": "17.mp4"}
    told = ima2("video", "analyze", "17.mp4", "--json").out
    assert json.loads(told)["method"] == "first-last-frame"
    assert told.startswith('{\n  "analysis": "A boat é')


def test_an_analysis_that_is_no_json_is_one_line_and_1(ima2: Any, stub: Any) -> None:
    stub.on("POST /api/video/analyze", b"<html>")
    answer = ima2("video", "analyze", "17.mp4")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
