"""What a server can do, as its settings say."""

from __future__ import annotations

from collections.abc import Sequence

from ima2 import Capabilities, Model, Price, Sizes
from ima2_plugins.openai_compatible.settings import Server

SOURCE = "named in the settings"


def capabilities(server: Server, listed: Sequence[Model] = ()) -> Capabilities:
    """The declaration for a server; ``listed`` are models it told of, which count where the settings name none."""
    models = declared(server) or tuple(listed)
    draws = server.images or server.edits
    return Capabilities(
        media=("image",) if draws else (),
        models=models,
        default_model=next((one.id for one in declared(server) if one.media == "image"), ""),
        sizes=Sizes(listed=server.sizes, free=not server.sizes, auto=True, max_edge=server.max_edge),
        default_size=default_size(server),
        qualities=server.qualities,
        formats=tuple(server.formats),
        max_references=server.max_references if server.edits else 0,
        max_count=server.max_count,
        edit=server.edits,
        mask=server.edits and server.masks,
        prices=prices(server, models),
        code_prefix="COMPATIBLE",
        codes={"MODEL_INVALID": "INVALID_IMAGE_MODEL", "MODEL_UNSUPPORTED": "IMAGE_MODEL_UNSUPPORTED"},
        text=server.words,
    )


def declared(server: Server) -> tuple[Model, ...]:
    """The models that the settings name."""
    draw = (Model(name, source=SOURCE, classic=False) for name in server.models)
    words = (
        Model(name, media="text", source=SOURCE, classic=False)
        for name in server.text_models
        if name not in server.models
    )
    return (*draw, *words)


def default_size(server: Server) -> str:
    """The size to ask for where nobody names one: the one that is set, else the first of those that are taken."""
    fits = server.default_size == "auto" or not server.sizes or server.default_size in server.sizes
    return server.default_size if fits else server.sizes[0]


def prices(server: Server, models: Sequence[Model]) -> tuple[Price, ...]:
    """What a picture costs, where the settings say it."""
    if server.usd_per_image is None:
        return ()
    return tuple(Price(one.id, "image", server.usd_per_image) for one in models if one.media == "image")
