"""What OpenAI serves, as data: which models call the drawing tool, which draw, until when, and at what price.

Sources are named with each fact; all were read on `CATALOGUE`. A model whose end has passed stays in the list: its
name is sent as asked, and only an answer decides what happens (see `fallbacks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from ima2 import Model

CATALOGUE = "2026-11-25"
"""The day on which these facts were read."""
_SDK = "openai 3.57.0 (Python SDK)"
_RETIRED = "developers.openai.com, deprecations"
_HELP = "help.openai.com, article 11369540"
_LEARN = "learn.chatgpt.com, models"

OLDER_EFFORTS = ("none", "low", "medium", "high", "xhigh")
EFFORTS = (*OLDER_EFFORTS, "minimal", "max")
"""Reasoning efforts of the API; models up to gpt-5.5 take `OLDER_EFFORTS`."""
_OLDER = frozenset({"gpt-5.5", "gpt-5.4", "gpt-5.4-mini"})


def _model(name: str, source: str = _SDK, **facts: str) -> Model:
    return Model(name, source=source, checked=CATALOGUE, **facts)  # type: ignore[arg-type]


UNSUPPORTED = Model("gpt-5.3-codex-spark", supported=False, source="the reference's list", checked=CATALOGUE)
_NEWER = ("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6-sol", "gpt-6-luna", "gpt-6-astra", "gpt-6.1-sol")

API_MODELS: tuple[Model, ...] = (
    _model("gpt-5.5", replacement="gpt-5.6-sol"),
    _model("gpt-5.4", replacement="gpt-5.6-terra"),
    _model("gpt-5.4-mini", replacement="gpt-5.6-luna"),
    *(_model(name) for name in (*_NEWER, "gpt-6.1-terra", "gpt-6.2-sol", "gpt-6.2-astra")),
    UNSUPPORTED,
)
"""Models that call the drawing tool through an API key. The oldest three are served; their replacements are ours to
name, for the day they are not."""

LOGIN_MODELS: tuple[Model, ...] = (
    _model("gpt-5.5", _LEARN, state="ended", ends="2026-10-14", replacement="gpt-5.6-sol"),
    _model("gpt-5.4", _HELP, state="ended", ends="2026-08-31", replacement="gpt-5.6-terra"),
    _model("gpt-5.4-mini", _HELP, state="ended", ends="2026-08-31", replacement="gpt-5.6-luna"),
    *(_model(name, _HELP) for name in _NEWER),
    UNSUPPORTED,
)
"""The same for a ChatGPT login, which ended three of them. Newer ones are served to clients that name a version of
Codex (reported: 0.144.0 for gpt-5.6, 0.153.4 for astra, 0.155.0 for gpt-6)."""


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """US dollars per million tokens of a drawing model."""

    text_in: float
    text_cached: float
    image_in: float
    image_cached: float
    image_out: float


@dataclass(frozen=True, slots=True)
class DrawingModel:
    """A model that the drawing tool draws with. ``sizes`` are all it takes; empty: any by `sizes.size_problem`.

    ``fidelity`` says whether it takes ``input_fidelity``; newer ones always look closely and refuse the field.
    """

    id: str
    state: str = "served"
    ends: str | None = None
    replacement: str = ""
    qualities: tuple[str, ...] = ("low", "medium", "high")
    sizes: tuple[str, ...] = ()
    fidelity: bool = False
    prices: TokenPrices | None = None
    source: str = _SDK
    checked: str = CATALOGUE

    def served(self, today: date) -> bool:
        """Whether it is not ended yet, as far as is known."""
        return self.state != "ended" and (self.ends is None or today < date.fromisoformat(self.ends))


_PRICES = TokenPrices(5.0, 1.25, 8.0, 2.0, 30.0)
"""Model page of gpt-image-2.6-sunburst, November 2026; the same for 2 and 2.5."""
_FIRST_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_ALL_QUALITIES = ("low", "medium", "high", "xhigh", "max")
DRAWING_MODELS: tuple[DrawingModel, ...] = (
    DrawingModel("gpt-image-2", replacement="gpt-image-2.6-sunburst", prices=_PRICES),
    *(
        DrawingModel(name, replacement=replacement, qualities=_ALL_QUALITIES, prices=_PRICES)
        for name, replacement in (
            ("gpt-image-2.6-sunburst", ""),
            ("gpt-image-2.6-flare", ""),
            ("gpt-image-2.5-sunburst", "gpt-image-2.6-sunburst"),
            ("gpt-image-2.5-flare", "gpt-image-2.6-flare"),
        )
    ),
    *(
        DrawingModel(
            name, "deprecated", "2026-12-01", "gpt-image-2", sizes=_FIRST_SIZES, fidelity=True, source=_RETIRED
        )
        for name in ("gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image-latest")
    ),
    DrawingModel(
        "gpt-image-1", "ended", "2026-10-23", "gpt-image-2", sizes=_FIRST_SIZES, fidelity=True, source=_RETIRED
    ),
)
"""The default first, then the newest."""
_DRAWING: Mapping[str, DrawingModel] = MappingProxyType({one.id: one for one in DRAWING_MODELS})


def drawing_model(name: str) -> DrawingModel:
    """The facts of a drawing model; of one that is not known, those of the newest without prices."""
    known = _DRAWING.get(name) or next((one for key, one in _DRAWING.items() if name.startswith(f"{key}-20")), None)
    return known or DrawingModel(name, qualities=_ALL_QUALITIES, source="not in the catalogue")


def default_drawing_model(today: date | None = None) -> str:
    """The first of the list that is still served."""
    day = today or date.today()
    return next(one.id for one in DRAWING_MODELS if one.served(day))


def efforts_of(model: str) -> tuple[str, ...]:
    """The reasoning efforts that a model takes, as far as is known."""
    return OLDER_EFFORTS if model in _OLDER else EFFORTS


def working_models(models: tuple[Model, ...], *refused: str) -> tuple[str, ...]:
    """Models to name to somebody whose model was refused, the newest known first."""
    served = [one.id for one in models if one.supported and one.state != "ended" and one.id not in refused]
    return tuple(served)
