"""Facts as sidecars hold them."""

from __future__ import annotations

from ima2.library.sidecar import from_facts


def test_facts_get_the_names_that_sidecars_have() -> None:
    assert from_facts({"created_at": 1, "created_at_iso": "x", "kind": "edit", "providerUrl": "u"}) == {
        "createdAt": 1,
        "createdAtIso": "x",
        "kind": "edit",
        "providerUrl": "u",
    }


def test_options_of_a_request_are_spread_into_the_fields_that_readers_know() -> None:
    facts = from_facts({"request_options": {"mode": "direct", "webSearch": True, "plannerModel": "x"}, "kind": "edit"})
    assert facts == {"promptMode": "direct", "webSearchEnabled": True, "reasoningEffort": "none", "kind": "edit"}


def test_a_value_deeper_down_keeps_its_own_names() -> None:
    assert from_facts({"video": {"some_name": 1}}) == {"video": {"some_name": 1}}
