"""What can be asked of this process, told from what its providers, plugins and settings declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from ima2.capabilities import Capabilities, Model
from ima2.command_table import command_names
from ima2.contracts import Provider
from ima2.kernel.guard import problem
from ima2.kernel.registry import Registry
from ima2.version import VERSION

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ima2.kernel.boot import Booted
    from ima2.settings.model import Settings

EFFORTS = ["none", "low", "medium", "high", "xhigh"]
GUIDANCE = {
    "highQuality": "Ask for quality high where detail matters; it takes longer and costs more.",
    "parallelGeneration": "Ask for several candidates with n in place of several calls; one call counts as one job.",
    "i2i": "Send reference pictures to keep a subject or a style; each provider says how many it takes.",
    "defaults": "What a request leaves out comes from the settings; the answer names what was used.",
    "video": "Describe motion, sound and the last frame; video takes minutes and is paid by the second.",
}


def ranked(registry: Registry) -> list[Provider]:
    """The providers in the order they are shown: the default first, then those of the plain wire, then by id."""
    return sorted(
        registry.providers.values(), key=lambda one: (not one.is_default, one.capabilities.code_prefix != "", one.id)
    )


def provider_row(provider: Provider, registry: Registry) -> dict[str, Any]:
    """One provider as data: what it is, what it can do, what is missing."""
    able = provider.capabilities
    return {
        "id": provider.id,
        "title": provider.title,
        "plugin": registry.owners.get(("provider", provider.id)),
        "isDefault": provider.is_default,
        "problem": problem(provider),
        "media": list(able.media),
        "models": [_model(model) for model in able.models],
        "listed": _listed(provider),
        "warnings": model_warnings(provider),
        "defaultModel": able.default_model,
        "sizes": {"listed": list(able.sizes.listed), "free": able.sizes.free, "auto": able.sizes.auto},
        "defaultSize": able.default_size,
        "qualities": list(able.qualities),
        "formats": list(able.formats),
        "maxReferences": able.max_references,
        "maxCount": able.max_count,
        "edit": able.edit,
        "mask": able.mask,
        "partials": able.partials,
        "sequence": able.sequence,
        "options": [
            {
                "name": o.name,
                "kind": o.kind,
                "title": o.title,
                "default": o.default,
                "values": list(o.values),
                "media": list(o.media),
            }
            for o in able.options
        ],
        "video": _video(able),
    }


def model_warnings(provider: Provider, today: str = "") -> list[str]:
    """What is to be known of a provider's models on a day (ISO, else today): those whose end has come, unless the
    account lists them all the same, and a default that the account does not list."""
    able = provider.capabilities
    listed = {model.id for model in provider.listed.models} if provider.listed else set()
    defaults = {able.default_model, able.default_video_model} - {""}
    day = today or date.today().isoformat()
    found = []
    for model in able.models:
        name = f"{model.id}{' (the default)' if model.id in defaults else ''}"
        if model.ends and model.ends <= day and model.id not in listed:
            instead = f"; {model.replacement} takes its place" if model.replacement else ""
            found.append(f"{name} was ended by its service on {model.ends}{instead}.")
        elif listed and model.id in defaults and model.id not in listed:
            found.append(f"{name} is not among the models that the account lists.")
    return found


def capabilities(
    booted: Booted, settings: Settings, blocks: Mapping[str, Any], *, source: str, server: str | None
) -> dict[str, Any]:
    """The answer of ``GET /api/capabilities`` and of ``ima2 capabilities``: told from what is declared.

    ``blocks`` are what plugins add (``ima2_capabilities``): they join it, and replace nothing of it.
    """
    providers = ranked(booted.registry)
    models = {name: type(ctx.settings) for name, ctx in booted.contexts.items() if ctx.settings is not None}
    answer = {
        "ok": True,
        "name": "ima2",
        "source": source,
        "server": server,
        "version": VERSION,
        "commands": command_names(),
        "defaults": {one.id: _defaults(one.capabilities) for one in providers if one.capabilities.models},
        "valid": {
            "imageModels": _image_models(providers),
            "videoModels": _video_models(providers),
            "reasoningEfforts": _values(providers, "reasoningEffort") or EFFORTS,
            "quality": ["low", "medium", "high"],
            "moderation": ["auto", "low"],
            "modes": _values(providers, "mode") or ["auto", "direct"],
            "providers": ["auto", *(one.id for one in providers)],
        },
        "configKeys": config_keys(models),
        "defaultsMeta": {"quality": "medium"},
        "limits": {
            "maxRefCount": settings.max_ref_count,
            "maxGeneratedImages": 8,
            "maxJobs": settings.max_jobs,
            "maxParallel": {
                "value": settings.max_parallel,
                "enforced": False,
                "note": f"Advice only. What is enforced is the number of jobs at once: {settings.max_jobs}.",
            },
        },
        "guidance": GUIDANCE,
    }
    return join(answer, blocks)


def config_keys(models: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The keys of config.json that may be written, and the variable that beats each, from the settings' models."""
    from ima2.settings.rows import kernel_rows, plugin_rows, writable_rows

    rows = writable_rows([*kernel_rows(), *plugin_rows(models)])
    variables = {key: row.variable(key) for key, row in rows.items()}
    return {"writable": list(rows), "envOverrides": {key: name for key, name in variables.items() if name}}


def join(answer: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both documents as one: objects are joined at every depth, and what ``answer`` says stays."""
    joined = {**more, **answer}
    for name in answer.keys() & more.keys():
        if isinstance(answer[name], Mapping) and isinstance(more[name], Mapping):
            joined[name] = join(answer[name], more[name])
    return joined


def _defaults(able: Capabilities) -> dict[str, Any]:
    names = {"webSearch": "webSearchEnabled"}
    options = {names.get(o.name, o.name): o.default for o in able.options if o.name != "mode" and o.default is not None}
    return {"model": able.default_model, "size": able.default_size, **options}


def _image_models(providers: Iterable[Provider]) -> dict[str, list[str]]:
    """Lists by family, named as the reference names them: ``supported``, ``unsupported``, ``<family>Supported``."""
    lists: dict[str, list[str]] = {"supported": [], "unsupported": []}
    for provider in providers:
        family = provider.capabilities.code_prefix.partition("_")[0].lower()
        for model in provider.capabilities.models:
            if model.media == "image" and model.classic:
                kind = "supported" if model.supported else "unsupported"
                known = lists.setdefault(f"{family}{kind.capitalize()}" if family else kind, [])
                if model.id not in known:
                    known.append(model.id)
    return lists


def _video_models(providers: Iterable[Provider]) -> dict[str, Any]:
    able = [one.capabilities for one in providers if one.capabilities.video is not None]
    modes = [capabilities.video for capabilities in able if capabilities.video is not None]
    spans = [span for one in modes for span in one.durations.values()]
    clips = (model for capabilities in able for model in capabilities.models if model.media == "video")
    models = (model.id for model in clips if model.supported and model.classic)
    return {
        "supported": list(dict.fromkeys(models)),
        "resolutions": list(dict.fromkeys(name for one in modes for name in one.resolutions)),
        "aspectRatios": list(dict.fromkeys(name for one in modes for name in one.aspect_ratios)),
        "durationRange": [min((low for low, _ in spans), default=0), max((high for _, high in spans), default=0)],
        "maxReferences": max((one.max_references for one in modes), default=0),
    }


def _model(model: Model) -> dict[str, Any]:
    row = {"id": model.id, "title": model.title or model.id, "media": model.media, "supported": model.supported}
    return {**row, "state": model.state, "ends": model.ends, "replacement": model.replacement or None}


def _listed(provider: Provider) -> dict[str, Any] | None:
    listed = provider.listed
    return {"at": listed.at, "models": [_model(model) for model in listed.models]} if listed else None


def _video(able: Capabilities) -> dict[str, Any] | None:
    if able.video is None:
        return None
    return {
        "modes": list(able.video.modes),
        "durations": {mode: list(span) for mode, span in able.video.durations.items()},
        "resolutions": list(able.video.resolutions),
        "aspectRatios": list(able.video.aspect_ratios),
        "maxReferences": able.video.max_references,
    }


def _values(providers: Iterable[Provider], option: str) -> list[str]:
    found = (one.capabilities.option(option) for one in providers)
    return list(dict.fromkeys(value for one in found if one for value in one.values))
