"""The demo behaves like a provider of the real kind, only that it draws itself."""

import asyncio
import hashlib
import io
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from PIL import Image
from pydantic import ValidationError

import ima2
from ima2_plugins import demo
from ima2_plugins.demo.provider import DemoProvider
from ima2_plugins.demo.settings import DemoSettings


@pytest.fixture
async def provider() -> AsyncIterator[DemoProvider]:
    one = DemoProvider(DemoSettings())
    await one.open()
    yield one
    await one.close()
    await one.close()


def request(prompt: str = "a cat by the sea", **fields: Any) -> ima2.ImageRequest:
    return ima2.ImageRequest(prompt, provider="demo", **({"size": "160x120"} | fields))


async def updates(provider: DemoProvider, wanted: ima2.ImageRequest, seconds: float = 60) -> list[ima2.Update]:
    job = ima2.Job("job", deadline=time.monotonic() + seconds)
    return [update async for update in provider.images(wanted, job)]


async def drawn(provider: DemoProvider, wanted: ima2.ImageRequest) -> list[bytes]:
    artifacts = [one for one in await updates(provider, wanted) if isinstance(one, ima2.Artifact)]
    return [one.picture.data for one in sorted(artifacts, key=lambda one: one.index)]


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def picture(image: Image.Image, form: str = "PNG") -> ima2.Picture:
    out = io.BytesIO()
    image.save(out, form)
    return ima2.Picture(out.getvalue(), f"image/{form.lower()}")


def average(image: Image.Image) -> tuple[int, int, int]:
    pixel = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return cast(tuple[int, int, int], pixel)


class TestPictures:
    async def test_the_same_request_gives_the_same_bytes(self, provider: DemoProvider) -> None:
        other = DemoProvider(DemoSettings())
        assert await drawn(provider, request()) == await drawn(other, request())
        await other.close()

    async def test_the_same_bytes_come_from_another_process(self, provider: DemoProvider) -> None:
        code = (
            "import asyncio, hashlib, ima2\n"
            "from ima2_plugins.demo.provider import DemoProvider\n"
            "from ima2_plugins.demo.settings import DemoSettings\n"
            "async def main():\n"
            "    one = DemoProvider(DemoSettings())\n"
            "    wanted = ima2.ImageRequest('a cat by the sea', provider='demo', size='160x120')\n"
            "    async for update in one.images(wanted, ima2.Job('j')):\n"
            "        if isinstance(update, ima2.Artifact):\n"
            "            print(hashlib.sha256(update.picture.data).hexdigest())\n"
            "asyncio.run(main())"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        (data,) = await drawn(provider, request())
        assert run.stdout.strip() == hashlib.sha256(data).hexdigest()

    async def test_another_seed_or_prompt_gives_another_picture(self, provider: DemoProvider) -> None:
        wanted = [request(), request(options={"seed": 1}), request(options={"seed": 2}), request("a forest at night")]
        pictures = {(await drawn(provider, one))[0] for one in wanted}
        assert len(pictures) == 4

    async def test_day_and_night_look_different(self, provider: DemoProvider) -> None:
        day, night = [(await drawn(provider, request(f"hills at {hour}")))[0] for hour in ("noon", "midnight")]
        assert sum(average(opened(day))) > sum(average(opened(night))) + 200

    async def test_a_named_colour_leads_the_palette(self, provider: DemoProvider) -> None:
        red, blue = [(await drawn(provider, request(f"{tint} hills at dusk")))[0] for tint in ("red", "blue")]
        assert average(opened(red))[0] > average(opened(red))[2]
        assert average(opened(blue))[2] > average(opened(blue))[0]

    @pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
    async def test_the_format_asked_for_is_the_one_that_comes(self, provider: DemoProvider, form: str) -> None:
        (data,) = await drawn(provider, request(format=form))
        assert ima2.media_type_of(data) == f"image/{form}"
        assert opened(data).size == (160, 120)

    @pytest.mark.parametrize("size", ["64x64", "64x900", "900x64", "333x257", "1024x1024"])
    async def test_any_size_is_kept_to_the_pixel(self, provider: DemoProvider, size: str) -> None:
        for prompt in ("space rocket", "snow aurora rain", "city lighthouse", "desert", "flowers", "flow", "mountain"):
            (data,) = await drawn(provider, request(prompt, size=size, quality="low"))
            assert "{}x{}".format(*opened(data).size) == size

    async def test_auto_is_a_square_of_1024(self, provider: DemoProvider) -> None:
        (data,) = await drawn(provider, request(size="auto", quality="low"))
        assert opened(data).size == (1024, 1024)

    async def test_quality_is_how_much_there_is_to_see(self, provider: DemoProvider) -> None:
        pictures = [await drawn(provider, request("flow", quality=one)) for one in ("low", "medium", "high")]
        assert len({one[0] for one in pictures}) == 3

    async def test_every_picture_says_that_it_is_a_demo(self, provider: DemoProvider) -> None:
        """The badge's plate is darker than the bright sky beside it."""
        (data,) = await drawn(provider, request("hills at noon", size="512x512"))
        image = opened(data).convert("L")
        darkest = [cast(tuple[int, int], image.crop((x, 14, x + 50, 24)).getextrema())[0] for x in (446, 340)]
        assert darkest[0] < darkest[1] - 40

    async def test_letters_no_font_has_are_no_error(self, provider: DemoProvider) -> None:
        (data,) = await drawn(provider, request("\U00013000 바다의 고양이 🐈", size="300x300"))
        assert opened(data).size == (300, 300)

    async def test_a_common_picture_takes_less_than_400_ms_of_one_core(self, provider: DemoProvider) -> None:
        await drawn(provider, request())
        taken = []
        for _ in range(3):
            started = time.process_time()
            await drawn(provider, request("a forest at dawn", size="1024x1024"))
            taken.append(time.process_time() - started)
        assert min(taken) < 0.4


class TestStream:
    async def test_phases_previews_progress_and_pictures_come_in_order(self, provider: DemoProvider) -> None:
        seen = await updates(provider, request(partials=3))
        assert [one.name for one in seen if isinstance(one, ima2.Phase)] == ["planning", "streaming", "decoding"]
        kinds = [type(one).__name__ for one in seen if not isinstance(one, ima2.Phase)]
        assert kinds == ["Partial", "Progress"] * 3 + ["Progress", "Artifact", "Usage"]
        fractions = [one.fraction for one in seen if isinstance(one, ima2.Progress)]
        assert fractions == [0.25, 0.5, 0.75, 1.0]
        assert next(one for one in seen if isinstance(one, ima2.Usage)).cost == 0

    async def test_previews_grow_clearer(self, provider: DemoProvider) -> None:
        seen = await updates(provider, request("flow", size="400x400", partials=3))
        previews = [opened(one.picture.data) for one in seen if isinstance(one, ima2.Partial)]
        (final,) = [opened(one.picture.data).resize((200, 200)) for one in seen if isinstance(one, ima2.Artifact)]

        def distance(image: Image.Image) -> int:
            pairs = zip(image.convert("L").tobytes(), final.convert("L").tobytes(), strict=True)
            return sum(abs(a - b) for a, b in pairs)

        distances = [distance(one) for one in previews]
        assert distances == sorted(distances, reverse=True)
        assert distances[0] > distances[-1]

    async def test_candidates_differ_and_progress_never_goes_back(self, provider: DemoProvider) -> None:
        seen = await updates(provider, request(count=8, partials=1))
        artifacts = [one for one in seen if isinstance(one, ima2.Artifact)]
        assert sorted(one.index for one in artifacts) == list(range(8))
        assert len({one.picture.data for one in artifacts}) == 8
        fractions = [one.fraction or 0 for one in seen if isinstance(one, ima2.Progress)]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1

    async def test_a_sequence_runs_through_one_day(self, provider: DemoProvider) -> None:
        seen = await updates(provider, request("hills", sequence=4, size="256x256"))
        artifacts = [one for one in seen if isinstance(one, ima2.Artifact)]
        assert [one.index for one in artifacts] == [0, 1, 2, 3]
        brightness = [sum(average(opened(one.picture.data))) for one in artifacts]
        assert brightness[1] > brightness[3] + 150

    async def test_the_event_loop_goes_on_while_it_draws(self, provider: DemoProvider) -> None:
        work = asyncio.create_task(drawn(provider, request(size="2048x2048")))
        turns = 0
        while not work.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert turns > 20


class TestInputs:
    async def test_a_reference_lends_its_colour(self, provider: DemoProvider) -> None:
        green = picture(Image.new("RGB", (40, 40), (20, 190, 60)))
        (plain,) = await drawn(provider, request("hills at dusk"))
        (tinted,) = await drawn(provider, request("hills at dusk", references=(green,)))
        assert (
            average(opened(tinted))[1] - average(opened(tinted))[0]
            > average(opened(plain))[1] - average(opened(plain))[0]
        )

    async def test_only_where_the_mask_is_clear_is_painted_anew(self, provider: DemoProvider) -> None:
        source = Image.effect_noise((320, 240), 60).convert("RGB")
        mask = Image.new("RGBA", source.size, "black")
        mask.paste((0, 0, 0, 0), (80, 60, 240, 180))
        wanted = request(size="auto", source=picture(source), mask=picture(mask))
        (data,) = await drawn(provider, wanted)
        after = opened(data).convert("RGB")
        assert after.crop((80, 60, 240, 180)).tobytes() != source.crop((80, 60, 240, 180)).tobytes()
        for image in (after, source):
            image.paste("white", (80, 60, 240, 180))
        assert after.tobytes() == source.tobytes()

    async def test_an_opaque_mask_changes_nothing(self, provider: DemoProvider) -> None:
        source = Image.effect_noise((90, 70), 60).convert("RGB")
        wanted = request(size="auto", source=picture(source), mask=picture(Image.new("RGBA", source.size, "black")))
        (data,) = await drawn(provider, wanted)
        assert opened(data).convert("RGB").tobytes() == source.tobytes()

    async def test_without_a_mask_the_whole_picture_takes_on_the_light(self, provider: DemoProvider) -> None:
        source = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
        (data,) = await drawn(provider, request("red dusk", size="auto", source=picture(source, "JPEG")))
        red, _, blue = average(opened(data))
        assert opened(data).size == (300, 200)
        assert red > blue + 10

    async def test_a_mask_of_another_size_is_refused(self, provider: DemoProvider) -> None:
        wanted = request(source=picture(Image.new("RGB", (80, 80))), mask=picture(Image.new("RGBA", (70, 80))))
        with pytest.raises(ima2.Ima2Error) as caught:
            await drawn(provider, wanted)
        assert caught.value.code == "EDIT_MASK_DIMENSION_MISMATCH"

    async def test_a_broken_reference_is_refused(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await drawn(provider, request(references=(ima2.Picture(b"\x89PNG\r\n\x1a\nno", "image/png"),)))
        assert caught.value.code == "IMAGE_INVALID"

    async def test_a_link_is_refused_because_the_demo_is_offline(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await drawn(provider, request(references=(ima2.Link("https://pictures.test/a.png"),)))
        assert caught.value.code == "DEMO_LINK_UNSUPPORTED"


class TestRefusals:
    @pytest.mark.parametrize("size", ["63x64", "64x4097", "1024", "0x0", "9999x9999", "1:1"])
    async def test_a_size_it_cannot_draw(self, provider: DemoProvider, size: str) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await updates(provider, request(size=size))
        assert (caught.value.code, caught.value.status) == ("DEMO_SIZE_UNSUPPORTED", 400)

    async def test_a_format_it_cannot_draw(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await updates(provider, request(format="gif"))
        assert caught.value.code == "DEMO_FORMAT_UNSUPPORTED"

    @pytest.mark.parametrize("seed", ["7", True, [1]])
    async def test_a_seed_that_is_no_number(self, provider: DemoProvider, seed: object) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await updates(provider, request(options={"seed": seed}))
        assert caught.value.code == "DEMO_SEED_INVALID"


class TestMisbehaviour:
    @pytest.mark.parametrize(
        ("fail", "code", "status"),
        [
            ("rate_limit", "DEMO_RATE_LIMITED", 429),
            ("refuse", "SAFETY_REFUSAL", 422),
            ("empty", "EMPTY_RESPONSE", 422),
            ("auth", "DEMO_AUTH_FAILED", 401),
            ("offline", "NETWORK_FAILED", 503),
        ],
    )
    async def test_it_fails_as_it_is_told(self, provider: DemoProvider, fail: str, code: str, status: int) -> None:
        settings = DemoSettings.model_validate({"fail": fail})
        for one, words in ((provider, f"a cat demo:fail={fail}"), (DemoProvider(settings), "a cat")):
            with pytest.raises(ima2.Ima2Error) as caught:
                await updates(one, request(words))
            assert (caught.value.code, caught.value.status) == (code, status)
            assert "cat" not in caught.value.text
            assert (caught.value.retry_after is not None) == (status == 429)

    async def test_a_crash_is_a_bug_and_no_answer(self, provider: DemoProvider) -> None:
        with pytest.raises(RuntimeError):
            await updates(provider, request("demo:fail=crash"))

    async def test_hanging_ends_with_the_jobs_time(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await updates(provider, request("demo:fail=hang"), seconds=0.05)
        assert (caught.value.code, caught.value.status) == ("DEMO_TIMEOUT", 504)

    async def test_hanging_can_be_cancelled(self, provider: DemoProvider) -> None:
        work = asyncio.create_task(updates(provider, request("demo:fail=hang")))
        await asyncio.sleep(0.05)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    async def test_candidates_that_are_cancelled_leave_nothing_running(self, provider: DemoProvider) -> None:
        work = asyncio.create_task(updates(provider, request("demo:delay=60000", count=4)))
        await asyncio.sleep(0.2)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_a_failure_nobody_knows_is_refused(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error, match="rate_limit") as caught:
            await updates(provider, request("demo:fail=sulk"))
        assert caught.value.code == "DEMO_FAILURE_UNKNOWN"
        with pytest.raises(ValidationError):
            DemoSettings.model_validate({"fail": "sulk"})

    async def test_a_delay_is_kept_by_words_and_by_setting(self, provider: DemoProvider) -> None:
        for one, words in (
            (provider, "a cat demo:delay=300"),
            (DemoProvider(DemoSettings(delay_ms=300)), "a cat"),
        ):
            started = time.monotonic()
            await updates(one, request(words, partials=2))
            assert time.monotonic() - started >= 0.3
            await one.close()

    async def test_a_delay_beyond_the_jobs_time_ends_with_it(self, provider: DemoProvider) -> None:
        with pytest.raises(ima2.Ima2Error) as caught:
            await updates(provider, request("demo:delay=60000"), seconds=0.5)
        assert caught.value.code == "DEMO_TIMEOUT"

    async def test_orders_to_the_demo_do_not_change_the_picture(self, provider: DemoProvider) -> None:
        assert await drawn(provider, request("a cat demo:delay=1")) == await drawn(provider, request("a cat"))


class TestOffer:
    async def test_it_says_what_it_is_and_is_never_the_default(self, provider: DemoProvider) -> None:
        status = await provider.status()
        assert status.state == "ready"
        assert status.reason
        assert re.search("no model", status.reason, re.IGNORECASE)
        assert provider.problem() is None
        assert provider.is_default is False
        assert provider.title == "Demo (offline drawings)"

    def test_it_offers_exactly_one_option(self) -> None:
        assert [option.name for option in DemoProvider.capabilities.options] == ["seed"]

    def test_its_front_door_loads_no_picture_library(self) -> None:
        code = "import sys, ima2_plugins.demo; assert not {'PIL', 'pydantic', 'httpx'} & set(sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)

    def test_its_settings_name_their_environment(self) -> None:
        fields = demo.ima2_settings().model_fields
        extras = {name: cast(dict[str, Any], field.json_schema_extra)["env"] for name, field in fields.items()}
        assert extras == {"delay_ms": ["IMA2_DEMO_DELAY_MS"], "fail": ["IMA2_DEMO_FAIL"]}
