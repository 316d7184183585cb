"""The page in a real Chromium, over a real server and the offline provider."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("IMA2_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI", "").lower() != "true",
        reason="no chromium found (apt-get install chromium, or IMA2_TEST_CHROMIUM=/path)",
    ),
]
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed") if CHROMIUM else None

expect: Any = sync_api.expect if sync_api else None
if expect:
    expect.set_options(timeout=10_000)
SLOW = " demo:delay=60000"
PATIENCE = 15_000


class Visit:
    """One page, and everything its browser complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("response", self._answered)

    def open(self, url: str) -> Any:
        """Open the page and wait until its form can be used."""
        self.page.goto(url)
        self.page.wait_for_selector("[name=provider] option", state="attached")
        return self.page

    def generate(self, prompt: str) -> None:
        """Write a prompt and press the button."""
        self.page.fill("#prompt", prompt)
        self.page.click("button.go")

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _answered(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} from {response.url}")


Visits = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    assert CHROMIUM is not None, "CI needs chromium for these tests"
    assert sync_api is not None
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, serve: Any) -> Iterator[Visits]:
    """``visit(width, height, scheme)`` is a fresh visitor. Afterwards nothing may have been complained about.

    It leaves before the servers do: hence `serve`.
    """
    visits: list[Visit] = []

    def make(width: int = 1280, height: int = 860, scheme: str = "light", **more: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective))"
        )
        visits.append(Visit(context.new_page()))
        return visits[-1]

    yield make
    for one in visits:
        one.page.context.close()
    assert [complaint for one in visits for complaint in one.complaints] == []


@pytest.fixture
def url(serve: Any) -> str:
    served = serve(IMA2_DEMO_DELAY_MS="900")
    return f"http://127.0.0.1:{served.port}/"


def test_a_prompt_becomes_a_picture_that_can_be_looked_at(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    expect(page.locator("#empty")).to_be_visible()
    visitor.generate("a lighthouse by the sea")

    job = page.locator(".tile.job")
    expect(job).to_have_count(1)
    expect(job).to_contain_text("a lighthouse by the sea")
    expect(page.locator("#pulse")).to_have_text("1 running")
    expect(job.locator(".previews img").first).to_be_attached()

    picture = page.locator(".tile[data-filename]")
    expect(picture).to_have_count(1)
    expect(job).to_have_count(0)
    expect(page.locator("#gallery-note")).to_have_text("1 picture")
    page.wait_for_function("document.querySelector('.tile img').naturalWidth > 100")

    picture.locator("button").click()
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    expect(viewer.locator("#viewer-prompt")).to_have_text("a lighthouse by the sea")
    expect(viewer.locator("dl")).to_contain_text("1024x1024")
    page.wait_for_function("document.querySelector('#stage img').naturalWidth === 1024")
    with page.expect_download() as download:
        viewer.locator("#viewer-download").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_several_candidates_take_the_place_of_their_job(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    page.select_option("[name=count]", "3")
    page.select_option("[name=format]", "webp")
    page.fill("#prompt", "three boats")
    page.keyboard.press("Control+Enter")
    pictures = page.locator(".tile[data-filename$='.webp']")
    expect(pictures).to_have_count(3)
    pictures.first.locator("button").press("Enter")
    names = [page.locator("#viewer-download").get_attribute("download")]
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        names.append(page.locator("#viewer-download").get_attribute("download"))
    assert len(set(names)) == 3
    expect(page.locator("#viewer-older")).to_be_disabled()


def test_a_slow_job_can_be_stopped_and_another_visitor_sees_it(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    visitor.generate("a slow forest" + SLOW)
    other = visit().open(url)
    expect(other.locator(".tile.job")).to_contain_text("a slow forest")
    page.locator(".tile.job .cancel").click()
    expect(page.locator(".tile.job")).to_have_count(0)
    expect(other.locator(".tile.job")).to_have_count(0)
    expect(page.locator("#alerts")).to_contain_text("Canceled")
    jobs = page.evaluate("fetch('/api/inflight?includeTerminal=1').then(answer => answer.json())")
    assert jobs["jobs"] == []
    assert [job["status"] for job in jobs["terminalJobs"]] == ["canceled"]


def test_a_failure_says_its_code_and_what_to_do_and_gives_the_prompt_back(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    visitor.generate("ships demo:fail=rate_limit")
    alert = page.locator("#alerts .alert")
    expect(alert).to_contain_text("DEMO_RATE_LIMITED")
    expect(alert).to_contain_text("Wait a little")
    expect(page.locator(".tile.job")).to_have_count(0)
    page.fill("#prompt", "")
    alert.get_by_role("button", name="Use again").click()
    expect(page.locator("#prompt")).to_have_value("ships demo:fail=rate_limit")
    expect(alert).to_have_count(0)


def test_what_is_refused_at_once_is_told_at_once(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    page.select_option("[name=size]", "custom")
    page.fill("[name=custom]", "9000x20")
    visitor.generate("too large")
    expect(page.locator("#alerts .alert")).to_contain_text("INVALID_SIZE")
    expect(page.locator(".tile.job")).to_have_count(0)
    visitor.complaints[:] = [one for one in visitor.complaints if "400 (Bad Request)" not in one]


def test_jobs_and_pictures_are_there_again_after_a_reload(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    visitor.generate("a meadow")
    expect(page.locator(".tile[data-filename]")).to_have_count(1)
    visitor.generate("a city" + SLOW)
    expect(page.locator(".tile.job")).to_have_count(1)
    page.reload()
    expect(page.locator(".tile.job")).to_contain_text("a city")
    expect(page.locator(".tile[data-filename]")).to_have_count(1)
    page.locator(".tile.job .cancel").click()
    expect(page.locator(".tile.job")).to_have_count(0)


def test_without_an_event_stream_the_page_still_tells_how_a_job_ended(visit: Visits, serve: Any) -> None:
    served = serve(plugins="local_storage,pillow_thumbs,demo", IMA2_DEMO_DELAY_MS="300")
    visitor = visit()
    page = visitor.open(f"http://127.0.0.1:{served.port}/")
    visitor.generate("a balloon over hills")
    expect(page.locator(".tile[data-filename]")).to_have_count(1)
    visitor.complaints[:] = [one for one in visitor.complaints if "404 (Not Found)" not in one]


def test_more_pictures_come_page_by_page(visit: Visits, serve: Any, tmp_path: Path) -> None:
    from ima2.testing import picture

    gallery = tmp_path / "home0" / "generated"
    gallery.mkdir(parents=True)
    for number in range(60):
        (gallery / f"17000000{number:05}_0000000{number % 10}_0.png").write_bytes(picture(80, 60).data)
    served = serve()
    page = visit().open(f"http://127.0.0.1:{served.port}/")
    expect(page.locator("#gallery-note")).to_have_text("60 pictures")
    expect(page.locator(".tile[data-filename]")).to_have_count(48)
    page.click("#more")
    expect(page.locator(".tile[data-filename]")).to_have_count(60)
    expect(page.locator("#more")).to_be_hidden()


def test_what_is_missing_and_what_is_installed_is_shown(visit: Visits, serve: Any) -> None:
    served = serve(plugins="local_storage,pillow_thumbs,sse,demo,openai_api")
    page = visit().open(f"http://127.0.0.1:{served.port}/")
    expect(page.locator("[data-provider=demo]")).to_contain_text("Ready")
    expect(page.locator("[data-provider=api]")).to_contain_text("OPENAI_API_KEY")
    expect(page.locator("[data-plugin=sse]")).to_contain_text("ready")
    expect(page.locator("[data-plugin=oauth]")).to_contain_text("off")
    expect(page.locator("[name=provider]")).to_have_value("demo")
    page.select_option("[name=provider]", "api")
    expect(page.locator("#composer-note")).to_contain_text("OPENAI_API_KEY")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_is_wider_than_the_screen_and_colours_follow_the_system(
    visit: Visits, url: str, width: int, scheme: str
) -> None:
    visitor = visit(width, 740, scheme)
    page = visitor.open(url)
    visitor.generate("a mountain at night")
    expect(page.locator(".tile[data-filename]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.locator(".tile[data-filename] button").click()
    box = page.locator("#viewer").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3
    assert (brightness > 200) == (scheme == "light")


def test_the_page_can_be_used_by_keyboard_alone(visit: Visits, url: str) -> None:
    page = visit().open(url)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("stars over the desert")
    page.keyboard.press("Control+Enter")
    picture = page.locator(".tile[data-filename] button")
    expect(picture).to_have_count(1)
    picture.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(picture).to_be_focused()


def test_every_control_has_a_name(visit: Visits, url: str) -> None:
    visitor = visit()
    page = visitor.open(url)
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a, input, select, textarea')]
        .filter(e => e.checkVisibility())
        .filter(e => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()))
        .map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_signing_in_from_another_machine_asks_for_the_token(visit: Visits, serve: Any) -> None:
    served = serve(IMA2_LAN_TOKEN="correct horse battery staple")
    visitor = visit()
    page = visitor.page
    page.goto(f"http://127.0.0.1:{served.port}/lan")
    page.fill("#token", "wrong")
    page.click("button.go")
    expect(page.locator("#door-note")).to_have_text("That is not the token.")
    page.fill("#token", "correct horse battery staple")
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["ima2_lan"]["httpOnly"]
    visitor.complaints[:] = [one for one in visitor.complaints if "401 (Unauthorized)" not in one]


PANELED = """
import ima2

SCRIPT = "export function mount(place) { place.textContent = 'Good morning from a plugin'; }"


@ima2.hookimpl
def ima2_panels():
    return [ima2.Panel("greeting", "Greeting", "side", "/api/greeting/panel.js")]


@ima2.hookimpl
def ima2_routes(ctx):
    from fastapi import APIRouter
    from fastapi.responses import PlainTextResponse

    router = APIRouter()

    @router.get("/api/greeting/panel.js", summary="The panel")
    async def panel() -> PlainTextResponse:
        return PlainTextResponse(SCRIPT, media_type="text/javascript")

    return router
"""


def test_a_panel_of_a_plugin_stands_on_the_page(visit: Visits, serve: Any, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    metadata = folder / "paneled-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "paneled.py").write_text(PANELED)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: paneled\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[ima2.plugins]\npaneled = paneled\n")
    served = serve(plugins="local_storage,sse,demo,paneled", PYTHONPATH=str(folder))
    page = visit().open(f"http://127.0.0.1:{served.port}/")
    expect(page.get_by_role("heading", name="Greeting")).to_be_visible()
    expect(page.get_by_text("Good morning from a plugin")).to_be_visible()
