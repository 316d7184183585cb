"""What runs and what it can do: health, providers, plugins, capabilities, storage."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from ima2.capabilities import ProviderStatus
from ima2.catalogue import capabilities, provider_row, ranked
from ima2.errors import Ima2Error
from ima2.kernel import guard
from ima2.kernel.guard import facts
from ima2.kernel.report import rows
from ima2.runtime import Runtime
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.replies import Json
from ima2.server.serving import address
from ima2.storage_report import storage_report
from ima2.studio.providers import default_id
from ima2.version import VERSION

router = APIRouter(tags=["status"])
aliases = APIRouter(include_in_schema=False)
"""Older addresses of the same; mounted behind the plugins' routes, which may answer some of them themselves."""
PROBE_S = 5.0


@router.get("/api/health", summary="Is it alive?", responses=examples.HEALTH)
async def health(request: Request) -> Json:
    """Answers at once, whatever else goes on. ``indexing`` appears while the gallery is being read."""
    runtime = runtime_of(request)
    scan = runtime.library.scan
    answer: dict[str, Any] = {
        "ok": True,
        "version": VERSION,
        "provider": _default(runtime),
        "uptimeSec": round(time.time() - runtime.started_at / 1000),
        "activeJobs": runtime.jobs.count,
        "pid": os.getpid(),
        "startedAt": runtime.started_at,
        "runtime": process_facts(runtime),
    }
    if scan.running:
        answer["indexing"] = {"done": scan.done, "todo": scan.todo}
    return Json(answer)


@router.get("/api/providers", summary="The providers in use", responses=examples.PROVIDERS)
async def providers(request: Request) -> Json:
    """What each can do and what it lacks, and the fields that clients of the reference look for."""
    runtime = runtime_of(request)
    answer: dict[str, Any] = {}
    for provider in ranked(runtime.registry):
        answer.update(facts(provider, "about"))
    answer["default"] = _default(runtime)
    answer["providers"] = [provider_row(provider, runtime.registry) for provider in ranked(runtime.registry)]
    answer["runtime"] = process_facts(runtime)
    return Json(answer)


@aliases.get("/api/{provider_id}/status")
@router.get("/api/providers/{provider_id}/status", summary="Probe one provider", responses=examples.PROBE)
async def provider_status(request: Request, provider_id: str) -> Json:
    """A live probe within five seconds. 404 ``UNKNOWN_PROVIDER`` for an id nobody offers."""
    runtime = runtime_of(request)
    provider = runtime.registry.providers.get(provider_id.lower())
    if provider is None:
        raise Ima2Error("UNKNOWN_PROVIDER", 404, "No such provider.")
    try:
        found = await guard.call(provider.id, provider.status, ProviderStatus, PROBE_S)
    except Ima2Error as error:
        late = error.code == "PROVIDER_TIMEOUT"
        found = ProviderStatus("offline", reason="No answer within five seconds." if late else error.text)
    answer: dict[str, Any] = {"status": found.state, "runtime": process_facts(runtime)}
    if found.models:
        answer["models"] = list(found.models)
    if found.reason:
        answer["reason"] = found.reason
    return Json(answer)


@router.get("/api/plugins", summary="Every plugin and its state", responses=examples.PLUGINS)
async def plugins(request: Request) -> Json:
    """The rows of ``ima2 plugins list --check``."""
    runtime = runtime_of(request)
    return Json({"plugins": rows(runtime.booted.records, runtime.registry)})


@router.get("/api/panels", summary="Pieces of the page that plugins bring", responses=examples.PANELS)
async def panel_list(request: Request) -> Json:
    """Data only: the page fetches each script from the plugin's own routes."""
    found = request.app.state.panels
    return Json({"panels": [{"plugin": plugin, **asdict(panel)} for plugin, panel in found]})


@router.get("/api/capabilities", summary="What can be asked of this server", responses=examples.CAPABILITIES)
async def capability_list(request: Request) -> Json:
    """Built from what the providers declare; holds no setting that is secret."""
    runtime = runtime_of(request)
    blocks = request.app.state.blocks
    return Json(capabilities(runtime.booted, runtime.settings, blocks, source="server", server=address(runtime)))


@router.get("/api/storage/status", summary="Where the gallery lies", responses=examples.STORAGE)
async def storage_status(request: Request) -> Json:
    """Counts files; never names a path outside the home folder in full."""
    runtime = runtime_of(request)
    library = runtime.library
    report = await asyncio.to_thread(storage_report, library.storage, runtime.environ, total=library.index.total)
    return Json({"ok": True, "data": report})


def process_facts(runtime: Runtime) -> dict[str, Any]:
    """Addresses of this server and of the local processes that providers lean on."""
    port = runtime.port
    answer: dict[str, Any] = {
        "backend": {"configuredPort": runtime.settings.port, "actualPort": port, "url": address(runtime)}
    }
    for name, provider in runtime.registry.providers.items():
        leans_on = facts(provider, "runtime")
        if leans_on:
            answer[name] = dict(leans_on)
    return answer


def _default(runtime: Runtime) -> str:
    try:
        return default_id(runtime.registry, runtime.settings.default_provider)
    except Ima2Error:
        return ""
