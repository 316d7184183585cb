"""ima2: a local studio for AI images and video, as a small kernel and many plugins.

These names are the whole public interface; plugins import nothing deeper than ``ima2`` (and
``ima2.testing`` in their tests). Each is imported when first used: ``ima2 --help`` needs none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ima2 import terminal, web
    from ima2.capabilities import (
        Capabilities,
        Credential,
        Listing,
        LoginStep,
        Model,
        Option,
        Price,
        ProviderStatus,
        Quota,
        QuotaWindow,
        Sizes,
        VideoModes,
    )
    from ima2.client import Client
    from ima2.contracts import (
        EventSink,
        Job,
        Migration,
        Part,
        Provider,
        Sql,
        Storage,
        Stored,
        Tables,
        Thumbnailer,
    )
    from ima2.database.defaults import now_seconds
    from ima2.errors import Ima2Error, canceled, safe_label
    from ima2.event_stream import StreamEvent
    from ima2.events.subscription import Subscription
    from ima2.files import home_label, is_leftover, private_folder, sweep, write_whole
    from ima2.interfaces import (
        Checked,
        JobHandle,
        JobResult,
        Jobs,
        JobScope,
        JobView,
        Label,
        Limits,
        Output,
        Policy,
        Studio,
    )
    from ima2.kernel.configuration import Configuration
    from ima2.kernel.context import PluginContext
    from ima2.kernel.hooks import hookimpl
    from ima2.keys import is_key
    from ima2.library_api import Kept, Library, LibraryItem, LibraryPage, LibraryQuery, ThumbnailReport
    from ima2.media.convert import flat_picture, open_picture, upright_picture
    from ima2.media.decode import MediaError, decode_media
    from ima2.media.embed import read_metadata
    from ima2.media.frames import frame_of, frames_problem
    from ima2.media.sniff import MediaFormat, media_type_of, size_of
    from ima2.models import (
        Artifact,
        Event,
        Failed,
        ImageRequest,
        Json,
        Link,
        Message,
        Notice,
        Panel,
        Partial,
        Phase,
        Picture,
        Progress,
        Receipt,
        Source,
        TextRequest,
        TextResult,
        Update,
        Usage,
        VideoRequest,
    )
    from ima2.network.errors import network_error, network_reason, redirect_error
    from ima2.network.fetch import Fetched, FetchError, FetchLimits
    from ima2.network.responses import read_json_limited, read_limited, stream_limited
    from ima2.offers import Facet, Routes, Site, Tool
    from ima2.scripts import CommandContext, command_context, open_studio
    from ima2.settings.field import setting
    from ima2.streams import merged
    from ima2.version import API_VERSION, VERSION

__all__ = [
    "API_VERSION",
    "VERSION",
    "Artifact",
    "Capabilities",
    "Checked",
    "Client",
    "CommandContext",
    "Configuration",
    "Credential",
    "Event",
    "EventSink",
    "Facet",
    "Failed",
    "FetchError",
    "FetchLimits",
    "Fetched",
    "Ima2Error",
    "ImageRequest",
    "Job",
    "JobHandle",
    "JobResult",
    "JobScope",
    "JobView",
    "Jobs",
    "Json",
    "Kept",
    "Label",
    "Library",
    "LibraryItem",
    "LibraryPage",
    "LibraryQuery",
    "Limits",
    "Link",
    "Listing",
    "LoginStep",
    "MediaError",
    "MediaFormat",
    "Message",
    "Migration",
    "Model",
    "Notice",
    "Option",
    "Output",
    "Panel",
    "Part",
    "Partial",
    "Phase",
    "Picture",
    "PluginContext",
    "Policy",
    "Price",
    "Progress",
    "Provider",
    "ProviderStatus",
    "Quota",
    "QuotaWindow",
    "Receipt",
    "Routes",
    "Site",
    "Sizes",
    "Source",
    "Sql",
    "Storage",
    "Stored",
    "StreamEvent",
    "Studio",
    "Subscription",
    "Tables",
    "TextRequest",
    "TextResult",
    "ThumbnailReport",
    "Thumbnailer",
    "Tool",
    "Update",
    "Usage",
    "VideoModes",
    "VideoRequest",
    "canceled",
    "command_context",
    "decode_media",
    "flat_picture",
    "frame_of",
    "frames_problem",
    "home_label",
    "hookimpl",
    "is_key",
    "is_leftover",
    "media_type_of",
    "merged",
    "network_error",
    "network_reason",
    "now_seconds",
    "open_picture",
    "open_studio",
    "private_folder",
    "read_json_limited",
    "read_limited",
    "read_metadata",
    "redirect_error",
    "safe_label",
    "setting",
    "size_of",
    "stream_limited",
    "sweep",
    "terminal",
    "upright_picture",
    "web",
    "write_whole",
]

_MODULES = {
    "ima2.kernel.configuration": "Configuration",
    "ima2.kernel.context": "PluginContext",
    "ima2.client": "Client",
    "ima2.event_stream": "StreamEvent",
    "ima2.contracts": "EventSink Job Migration Part Provider Sql Storage Stored Tables Thumbnailer",
    "ima2.database.defaults": "now_seconds",
    "ima2.library_api": "Kept Library LibraryItem LibraryPage LibraryQuery ThumbnailReport",
    "ima2.errors": "Ima2Error canceled safe_label",
    "ima2.files": "home_label is_leftover private_folder sweep write_whole",
    "ima2.media.embed": "read_metadata",
    "ima2.media.frames": "frame_of frames_problem",
    "ima2.interfaces": "Checked JobHandle JobResult JobScope JobView Jobs Label Limits Output Policy Studio",
    "ima2.kernel.hooks": "hookimpl",
    "ima2.offers": "Facet Routes Site Tool",
    "ima2.events.subscription": "Subscription",
    "ima2.keys": "is_key",
    "ima2.capabilities": (
        "Capabilities Credential Listing LoginStep Model Option Price ProviderStatus Quota QuotaWindow Sizes VideoModes"
    ),
    "ima2.models": (
        "Artifact Event Failed ImageRequest Json Link Message Notice Panel Partial Phase Picture Progress Receipt "
        "Source TextRequest TextResult Update Usage VideoRequest"
    ),
    "ima2.media.convert": "flat_picture open_picture upright_picture",
    "ima2.media.decode": "MediaError decode_media",
    "ima2.media.sniff": "MediaFormat media_type_of size_of",
    "ima2.network.errors": "network_error network_reason redirect_error",
    "ima2.network.fetch": "FetchError FetchLimits Fetched",
    "ima2.network.responses": "read_json_limited read_limited stream_limited",
    "ima2.scripts": "CommandContext command_context open_studio",
    "ima2.settings.field": "setting",
    "ima2.streams": "merged",
    "ima2.version": "API_VERSION VERSION",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in {"terminal", "web"}:
        return import_module(f"ima2.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'ima2' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
