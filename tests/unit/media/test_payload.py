from ima2.media.payload import accepted, payload

KEYS = [
    "schema",
    "app",
    "version",
    "createdAt",
    "kind",
    "canvasVersion",
    "canvasSourceFilename",
    "canvasEditableFilename",
    "canvasMergedAt",
    "prompt",
    "userPrompt",
    "revisedPrompt",
    "promptMode",
    "quality",
    "size",
    "format",
    "moderation",
    "model",
    "reasoningEffort",
    "elapsed",
    "provider",
    "sessionId",
    "nodeId",
    "parentNodeId",
    "clientNodeId",
    "requestId",
    "refsCount",
    "webSearchCalls",
    "styleSheetApplied",
]


def test_every_key_is_there_in_its_order_even_without_facts() -> None:
    record = payload({})
    assert list(record) == KEYS
    assert (record["schema"], record["app"]) == ("ima2.generation.v1", "ima2-gen")
    assert (record["promptMode"], record["refsCount"], record["webSearchCalls"]) == ("auto", 0, 0)
    assert record["styleSheetApplied"] is record["canvasVersion"] is False
    assert record["prompt"] is record["createdAt"] is record["elapsed"] is None


def test_long_texts_are_cut_to_their_limits() -> None:
    record = payload(dict.fromkeys(KEYS, "x" * 5000))
    lengths = {key: len(record[key]) for key in KEYS if isinstance(record[key], str) and key not in ("schema", "app")}
    assert lengths.pop("promptMode") == len("auto")
    assert lengths["prompt"] == lengths["userPrompt"] == lengths["revisedPrompt"] == 4000
    assert lengths["canvasSourceFilename"] == lengths["canvasEditableFilename"] == 240
    assert lengths["requestId"] == 160
    assert {lengths[key] for key in ("sessionId", "nodeId", "parentNodeId", "clientNodeId")} == {120}
    assert {lengths[key] for key in ("version", "kind", "model")} == {80}
    assert {lengths[key] for key in ("quality", "size", "moderation", "reasoningEffort", "provider")} == {40}
    assert lengths["format"] == 20


def test_values_of_a_wrong_type_become_null_or_their_default() -> None:
    wrong = {
        "prompt": 7,
        "createdAt": "today",
        "elapsed": True,
        "refsCount": "two",
        "webSearchCalls": float("inf"),
        "canvasVersion": "yes",
        "styleSheetApplied": 1,
        "canvasMergedAt": 10**400,
        "promptMode": ["direct"],
    }
    assert payload(wrong) == payload({})


def test_the_users_words_fall_back_to_the_prompt() -> None:
    assert payload({"prompt": "a fox"})["userPrompt"] == "a fox"
    assert payload({"prompt": "a fox, polished", "userPrompt": "a fox"})["userPrompt"] == "a fox"


def test_half_a_character_cannot_break_the_text() -> None:
    assert payload({"prompt": "a\ud83d"})["prompt"] == "a?"


def test_only_our_own_schema_is_accepted_and_then_made_regular() -> None:
    assert accepted({"schema": "ima2.generation.v1", "app": "another"}) is None
    assert accepted({"schema": "ima2.generation.v2", "app": "ima2-gen"}) is None
    assert accepted(["schema"]) is None
    mixed = accepted({"schema": "ima2.generation.v1", "app": "ima2-gen", "model": 3, "extra": "gone", "size": "1x1"})
    assert mixed == payload({"size": "1x1"})
