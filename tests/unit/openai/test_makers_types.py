"""What is sent and read, held against OpenAI's own published types, so that a drift shows.

Needs the extra ``wire`` (the package openai); without it these tests are skipped and say so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import orjson
import pybase64
import pytest
from pydantic import BaseModel, TypeAdapter
from tests.unit.openai.conftest import Api, Oauth
from tests.unit.openai.test_request_bodies import mask
from tests.upstreams.asking import draw
from tests.upstreams.responses_checks import image_tool
from tests.upstreams.responses_stream import TOOL_USAGE
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai.capabilities import api_capabilities
from ima2_plugins.openai.catalogue import API_MODELS, DRAWING_MODELS, EFFORTS, LOGIN_MODELS
from ima2_plugins.openai.reasons import REASONS
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.settings import ApiSettings

WHY = "openai is not installed (the extra `wire`): OpenAI's types are not compared"
types: Any = pytest.importorskip("openai.types", reason=WHY)
responses: Any = pytest.importorskip("openai.types.responses", reason=WHY)
create: Any = pytest.importorskip("openai.types.responses.response_create_params", reason=WHY)
tools: Any = pytest.importorskip("openai.types.responses.tool_param", reason=WHY)
items: Any = pytest.importorskip("openai.types.responses.response_output_item", reason=WHY)
errors: Any = pytest.importorskip("openai.types.responses.response_error", reason=WHY)
whole: Any = pytest.importorskip("openai.types.responses.response", reason=WHY)
shared: Any = pytest.importorskip("openai.types.shared", reason=WHY)
pictures: Any = pytest.importorskip("openai.types.images_response", reason=WHY)

PNG = ima2.Picture(picture(), "image/png")
B64 = pybase64.b64encode(picture()).decode()
NEWEST = {"drawingModel": "gpt-image-2.6-sunburst", "background": "opaque", "compression": 60, "complexity": "low"}
ASKED: list[dict[str, Any]] = [
    {},
    {"partials": 3, "size": "auto"},
    {"source": PNG, "mask": mask(), "references": (PNG,)},
    {"sequence": 4},
    {"model": "gpt-6.2-sol", "quality": "max", "format": "webp", "options": {**NEWEST, "reasoningEffort": "max"}},
    {"source": PNG, "options": {"drawingModel": "gpt-image-1.5", "inputFidelity": "high", "webSearch": False}},
]


def literals(annotation: Any) -> set[str]:
    """All texts of the literals within a type."""
    if isinstance(annotation, str):
        return {annotation}
    return set().union(*(literals(part) for part in get_args(annotation)))


def detailed(body: dict[str, Any]) -> dict[str, Any]:
    """A body whose input pictures say ``detail``: the SDK's type wants it, the API takes ``auto`` for granted."""
    for message in body["input"]:
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part["type"] == "input_image":
                part.setdefault("detail", "auto")
    return body


@pytest.mark.parametrize("fields", ASKED)
async def test_every_body_is_one_that_the_sdk_could_have_sent(api: Api, openai: World, fields: dict[str, Any]) -> None:
    await draw(api(), "MULTI4 kite", **fields)
    (call,) = openai.calls("/responses")
    assert set(call.body) <= set(create.ResponseCreateParamsStreaming.__annotations__) | _base_fields()
    TypeAdapter(create.ResponseCreateParamsStreaming).validate_python(detailed(call.body))
    tool = image_tool(call.body) or {}
    assert set(tool) <= set(tools.ImageGeneration.__annotations__)
    TypeAdapter(tools.ImageGeneration).validate_python(tool)


async def test_a_call_for_words_is_one_too(api: Api, openai: World) -> None:
    turns = (ima2.Message("user", "Hello"), ima2.Message("assistant", "Good day"))
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    await api().text(ima2.TextRequest("SCHEMA", "api", system="x", messages=turns, schema=schema, pictures=(PNG,)))
    (call,) = openai.calls("/responses")
    TypeAdapter(create.ResponseCreateParamsStreaming).validate_python(detailed(call.body))


async def test_pictures_alone_are_asked_for_in_fields_of_the_images_api(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    await draw(oauth(backend), options={"webSearch": False, "background": "opaque"})
    (call,) = backend.calls("/images/")
    params: Any = pytest.importorskip("openai.types.image_generate_params", reason=WHY)
    TypeAdapter(params.ImageGenerateParamsNonStreaming).validate_python(call.body)


def _base_fields() -> set[str]:
    return set(create.ResponseCreateParamsBase.__annotations__)


def test_the_catalogue_names_models_that_the_sdk_names() -> None:
    known = literals(shared.ResponsesModel)
    assert {one.id for one in (*API_MODELS, *LOGIN_MODELS) if one.supported} <= known
    assert {one.id for one in DRAWING_MODELS} <= literals(types.ImageModel)


def test_efforts_qualities_and_options_are_values_of_the_sdk() -> None:
    assert set(EFFORTS) == literals(shared.ReasoningEffort)
    fields = TypeAdapter(tools.ImageGeneration).json_schema()["properties"]
    able = api_capabilities(ApiSettings(), "gpt-image-2")
    assert {*able.qualities, "auto"} == set(fields["quality"]["enum"])
    for option, field in (("background", "background"), ("complexity", "complexity")):
        declared = able.option(option)
        assert declared is not None
        assert set(declared.values) - {"auto"} == set(fields[field]["enum"]) - {"auto"}


def test_every_code_and_reason_of_the_sdk_is_sorted() -> None:
    named = literals(errors.ResponseError.model_fields["code"].annotation)
    named |= literals(whole.IncompleteDetails.model_fields["reason"].annotation)
    assert named <= set(REASONS)


# -- answers made of the SDK's types ----------------------------------------------------------------


def reader(**fields: Any) -> ResponseReader:
    values: dict[str, Any] = {"model": "gpt-5.4-mini", "drawing": "gpt-image-2", "priced": True, **fields}
    return ResponseReader("key", **values)


def read(into: ResponseReader, *events: BaseModel) -> list[ima2.Update]:
    """What comes of events that went over the wire."""
    found: list[ima2.Update] = []
    for number, event in enumerate(events):
        value = {**event.model_dump(mode="json", exclude_unset=True), "sequence_number": number}
        found += into.read_event(orjson.dumps(value))
    return found


def item(**fields: Any) -> Any:
    values = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": B64, **fields}
    return items.ImageGenerationCall.model_validate(values)


def done(one: Any) -> Any:
    return responses.ResponseOutputItemDoneEvent(
        type="response.output_item.done", item=one, output_index=0, sequence_number=0
    )


def response(**fields: Any) -> Any:
    tool = {"type": "image_generation", "model": "gpt-image-2"}
    values = {
        **{"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.4-mini", "output": []},
        **{"parallel_tool_calls": True, "tool_choice": "auto", "tools": [tool], **fields},
    }
    return responses.Response.model_validate(values)


def test_a_result_says_what_was_used_even_while_it_calls_itself_generating() -> None:
    one = item(
        status="generating",
        revised_prompt="A kite.",
        action="generate",
        quality="medium",
        size="1024x1536",
        background="opaque",
        output_format="png",
    )
    updates = read(reader(), responses.ResponseCreatedEvent(
        type="response.created", response=response(), sequence_number=0), done(one))  # fmt: skip
    (artifact,) = [update for update in updates if isinstance(update, ima2.Artifact)]
    assert artifact.picture == PNG
    assert artifact.used == {"quality": "medium", "size": "1024x1536", "background": "opaque", "format": "png"}
    assert artifact.facts == {"drawingModel": "gpt-image-2"}


def test_a_preview_is_one() -> None:
    event = responses.ResponseImageGenCallPartialImageEvent(
        type="response.image_generation_call.partial_image",
        item_id="ig_1",
        output_index=0,
        partial_image_b64=B64,
        partial_image_index=0,
        sequence_number=0,
    )
    assert read(reader(previews=True), event) == [ima2.Partial(PNG, 0)]


@pytest.mark.parametrize("stage", ["input", "output", "unknown"])
def test_a_call_that_moderation_stopped_is_a_refusal_with_its_stage(stage: str) -> None:
    from ima2_plugins.openai.diagnostics import empty_error

    details = {"categories": ["violence"], "moderation_stage": stage}
    error = {"code": "moderation_blocked", "message": "no", "type": "image_generation_user_error", "param": None}
    into = reader()
    read(into, done(item(status="failed", result=None, error={**error, "moderation_details": details})))
    found = empty_error(into, ima2.ImageRequest("kite", "api"))
    assert (found.code, found.status) == ("SAFETY_REFUSAL", 422)
    assert found.details["moderationStage"] == ("output" if stage == "unknown" else stage)


def test_the_tokens_of_the_tool_make_the_cost() -> None:
    used = {
        "image_gen": {**TOOL_USAGE, "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0}},
        "web_search": {"num_requests": 2},
    }
    into = reader(pictures_in=True)
    event = responses.ResponseCompletedEvent(
        type="response.completed", response=response(output=[item()], tool_usage=used), sequence_number=1
    )
    read(into, event)
    (usage,) = [update for update in into.closing() if isinstance(update, ima2.Usage)]
    assert usage.searches == 2
    assert usage.cost == pytest.approx((300 * 5 + 1000 * 8 + 4160 * 30) / 1e6)


@pytest.mark.parametrize("code", ["bio_policy", "server_error", "invalid_image", "rate_limit_exceeded"])
def test_a_failed_response_is_sorted(code: str) -> None:
    into = reader()
    failed = response(status="failed", error={"code": code, "message": "no"})
    read(into, responses.ResponseFailedEvent(type="response.failed", response=failed, sequence_number=1))
    assert into.error is not None
    assert into.error.upstream_code == code


def test_an_error_event_is_sorted() -> None:
    into = reader()
    event = responses.ResponseErrorEvent(
        type="error", code="image_too_large", message="no", param=None, sequence_number=1
    )
    read(into, event)
    assert into.error is not None
    assert (into.error.code, into.error.status) == ("INVALID_REQUEST", 400)


def test_an_answer_of_the_images_api_is_read_as_one() -> None:
    answer = pictures.ImagesResponse.model_validate(
        {
            **{"created": 1, "data": [{"b64_json": B64}], "background": "transparent", "quality": "high"},
            **{"output_format": "png", "size": "1024x1024"},
        }
    )
    into = reader(model="gpt-image-2", replaced=True)
    updates = into.read_json(answer.model_dump_json(exclude_unset=True).encode())
    (artifact,) = [update for update in updates if isinstance(update, ima2.Artifact)]
    assert (artifact.picture, artifact.model) == (PNG, "gpt-image-2")
    assert artifact.used == {
        **{"quality": "high", "size": "1024x1024", "background": "transparent", "format": "png"},
    }
