"""How jobs of the core's routes read to their clients, by the name of the view."""

from __future__ import annotations

from collections.abc import Callable

from ima2.interfaces import JobView, Label, Request
from ima2.server.wire import edit, generate, multimode, video_edit, video_generate

VIEWS: dict[str, Callable[[Request | None, Label], JobView]] = {
    generate.KIND: generate.GenerateView,
    edit.VIEW: edit.EditView,
    multimode.KIND: multimode.MultimodeView,
    video_generate.KIND: video_generate.VideoGenerateView,
    video_edit.VIEW: video_edit.VideoEditView,
}
