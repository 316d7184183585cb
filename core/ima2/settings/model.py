"""Settings: where each value comes from, for the kernel and for every plugin.

Environment beats config.json, which beats the default. An empty text counts as not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AllowInfNan, BaseModel, BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ima2.errors import Ima2Error
from ima2.settings import paths
from ima2.settings.config_file import find
from ima2.settings.field import setting
from ima2.settings.sources import Layer, is_number, shaped, sources
from ima2.settings.values import as_bytes, as_flag, as_seconds, is_unset


def _one_name(value: str) -> str:
    if value in {".", ".."} or "/" in value or "\\" in value:
        raise ValueError("must be a plain folder name")
    return value


def _lowered(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


LogLevel = Annotated[Literal["debug", "info", "warn", "error", "silent"], BeforeValidator(_lowered)]
FolderName = Annotated[str, AfterValidator(_one_name)]
Duration = Annotated[float, AllowInfNan(False)]
HomePath = Annotated[Path, AfterValidator(Path.expanduser)]
Bytes = Annotated[int, BeforeValidator(as_bytes)]
Seconds = Annotated[int, BeforeValidator(as_seconds)]
_OUT_OF_RANGE = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"})


class Settings(BaseSettings):
    """The kernel's own settings. Sizes are in bytes, times in the unit their name says."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    config_dir: HomePath = setting(Path("~/.ima2"), env="IMA2_CONFIG_DIR", help="The user's folder.")
    port: int = setting(3333, env="IMA2_PORT PORT", key="server.port", ge=0, le=65535, help="Port of the server.")
    host: str = setting("127.0.0.1", env="IMA2_HOST", key="server.host", help="Address the server binds.")
    body_limit: Bytes = setting(50 << 20, env="IMA2_BODY_LIMIT", key="server.bodyLimit", ge=1, help="Largest request.")
    lan_token: SecretStr | None = setting(
        None, env="IMA2_LAN_TOKEN", key="server.lanToken", help="Asked of callers from other machines."
    )
    allowed_hosts: tuple[str, ...] = setting(
        (), env="IMA2_ALLOWED_HOSTS", key="server.allowedHosts", help="Further host names the server answers to."
    )
    allowed_origins: tuple[str, ...] = setting(
        (), env="IMA2_ALLOWED_ORIGINS", key="server.allowedOrigins", help="Web sites that may use the server too."
    )
    body_budget: Bytes = setting(
        192 << 20,
        env="IMA2_BODY_BUDGET",
        key="server.bodyBudget",
        ge=1,
        help="Large requests read at once.",
    )
    shutdown_grace_s: Duration = setting(
        3.0, env="IMA2_SHUTDOWN_GRACE_S", key="server.shutdownGraceS", ge=0, help="Time to finish in."
    )
    max_ref_count: int = setting(
        5, env="IMA2_MAX_REF_COUNT", key="limits.maxRefCount", ge=0, help="References of one request."
    )
    max_ref_b64_bytes: int = setting(
        7_340_032, env="IMA2_MAX_REF_B64_BYTES", key="limits.maxRefB64Bytes", ge=1, help="Largest reference, as base64."
    )
    max_result_bytes: Bytes = setting(
        512 << 20, env="IMA2_MAX_RESULT_BYTES", key="limits.maxResultBytes", ge=1, help="Largest picture or clip taken."
    )
    max_parallel: int = setting(
        8, env="IMA2_MAX_PARALLEL", key="limits.maxParallel", ge=1, help="Advice for clients, not enforced."
    )
    max_jobs: int = setting(12, env="IMA2_MAX_JOBS", key="limits.maxJobs", ge=1, help="Jobs accepted at one time.")
    max_prompt_chars: int = setting(
        32_000, env="IMA2_MAX_PROMPT_CHARS", key="limits.maxPromptChars", ge=1, help="Longest prompt."
    )
    job_timeout_s: Duration = setting(
        1800.0, env="IMA2_JOB_TIMEOUT_S", key="limits.jobTimeoutS", gt=0, help="Longest job."
    )
    history_page_size: int = setting(
        50,
        env="IMA2_HISTORY_PAGE_SIZE",
        key="history.defaultPageSize limits.historyDefaultPageSize",
        ge=1,
        help="Entries of a page.",
    )
    history_max_page: int = setting(
        500,
        env="IMA2_HISTORY_MAX_PAGE",
        key="history.maxPageCap limits.historyMaxPageCap",
        ge=1,
        help="Entries of the longest page.",
    )
    generated_dir: HomePath | None = setting(
        None, env="IMA2_GENERATED_DIR", key="storage.generatedDir", help="The gallery's folder."
    )
    generated_dir_name: FolderName = setting(
        "generated", env="IMA2_GENERATED_DIRNAME", key="storage.generatedDirName", help="Its name in the user's folder."
    )
    trash_dir_name: FolderName = setting(
        ".trash", env="IMA2_TRASH_DIRNAME", key="storage.trashDirName", help="Name of the trash in the gallery."
    )
    db_path: HomePath | None = setting(None, env="IMA2_DB_PATH", key="storage.dbPath", help="The database file.")
    advertise_file: HomePath | None = setting(
        None, env="IMA2_ADVERTISE_FILE", key="storage.advertiseFile", help="Where a running server says its address."
    )
    static_max_age: Seconds = setting(
        "1y", env="IMA2_STATIC_MAX_AGE", key="storage.staticMaxAge", ge=0, help="How long pictures are cached."
    )
    storage: str = setting("local", env="IMA2_STORAGE", key="storage.use", help="Id of the storage in use.")
    thumbnailer: str = setting("", env="IMA2_THUMBNAILER", key="thumbnails.use", help="Id of a preferred thumbnailer.")
    default_provider: str = setting(
        "", env="IMA2_DEFAULT_PROVIDER", key="provider", help="Used where a request names none."
    )
    generated_hex_bytes: int = setting(
        4, env="IMA2_GENERATED_HEX_BYTES", key="ids.generatedHexBytes", ge=1, le=32, help="Random bytes of a file name."
    )
    terminal_ttl_ms: int = setting(
        300_000,
        env="IMA2_INFLIGHT_TERMINAL_TTL_MS",
        key="inflight.terminalTtlMs",
        ge=0,
        help="How long ended jobs show.",
    )
    dev: bool = setting(False, env="IMA2_DEV", help="Defaults for development.")
    log_level: LogLevel = setting("info", env="IMA2_LOG_LEVEL", key="log.level", help="debug to error, or silent.")

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_others: Any, **_more: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given by name, then ``environ``, then ``document``; the process's own are read nowhere here."""
        given = init_settings()
        return init_settings, Layer(settings_cls, given, from_env=True), Layer(settings_cls, given, from_env=False)

    @property
    def generated(self) -> Path:
        """The gallery's folder."""
        return self.generated_dir or self.config_dir / self.generated_dir_name

    @property
    def database(self) -> Path:
        """The database file."""
        return self.db_path or self.config_dir / "sessions.db"

    @property
    def advertisement(self) -> Path:
        """Where a running server says its address."""
        return self.advertise_file or self.config_dir / "server.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The kernel's settings, and a sentence about each value that was not usable."""

    settings: Settings
    warnings: list[str]


def load(environ: Mapping[str, str], document: Mapping[str, Any]) -> Loaded:
    """Resolve the kernel's settings.

    What is no number (or no known word) leaves the default in force, with a warning that names the place, never the
    value. A number out of its range is `Ima2Error` ``CONFIG_INVALID``.
    """
    environ = {**environ, "IMA2_CONFIG_DIR": str(paths.config_dir(environ))}
    warnings: list[str] = []
    layers: dict[str, Any] = {"environ": environ, "document": _defaults_of(environ, document)}
    for _ in range(2):
        try:
            return Loaded(Settings(**layers), warnings)
        except ValidationError as error:
            environ, document = _without(error, layers["environ"], layers["document"], warnings)
            layers = {"environ": environ, "document": document}
    raise AssertionError("unreachable: every unusable value was taken out")


def plugin_settings(
    model: type[BaseModel], plugin: str, environ: Mapping[str, str], document: Mapping[str, Any]
) -> BaseModel:
    """Resolve and validate one plugin's settings.

    Strongest first: ``IMA2_PLUGINS__<PLUGIN>__<FIELD>``, the field's own variables, ``plugins.<plugin>.<field>``, the
    field's own config key, its default. Raises ``PLUGIN_SETTINGS_INVALID`` naming fields and rules, never a value.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, field in model.model_fields.items():
        for source in sources(field, plugin, name):
            value = source.read(environ, document)
            if value is not None:
                values[field.alias or name], origins[field.alias or name] = shaped(field, value), source.name
                break
    try:
        return model.model_validate(values)
    except ValidationError as error:
        said = "; ".join(_rules(error, origins))
        raise Ima2Error(
            "PLUGIN_SETTINGS_INVALID", 500, f"Settings of plugin {plugin} are not usable: {said}."
        ) from None


def misspelt(model: type, plugin: str, environ: Mapping[str, str], document: Mapping[str, Any]) -> list[str]:
    """A sentence about each setting that is given for a plugin and that its model does not know."""
    fields = list(getattr(model, "model_fields", ()))
    prefix = f"IMA2_PLUGINS__{plugin}__".upper().replace("-", "_")
    section = find(document, f"plugins.{plugin}")
    given = {name.removeprefix(prefix).lower(): name for name in environ if name.startswith(prefix)}
    given |= {name: f"plugins.{plugin}.{name}" for name in (section if isinstance(section, dict) else {})}
    known = {*fields, *(name.lower() for name in fields)}
    unknown = {
        place: get_close_matches(name, fields, n=1, cutoff=0.5) for name, place in given.items() if name not in known
    }
    return [
        f"{place} is set, but there is no such setting{f' (did you mean {close[0]}?)' if close else ''}"
        for place, close in sorted(unknown.items())
    ]


def _defaults_of(environ: Mapping[str, str], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, with the log level that development starts from where none is given."""
    if as_flag(environ.get("IMA2_DEV", "")) and is_unset(find(document, "log.level")):
        return {**document, "log": {"level": "debug"}}
    return document


def _without(
    error: ValidationError, environ: Mapping[str, str], document: Mapping[str, Any], warnings: list[str]
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Both layers without the values that could not be read at all."""
    blanked, environ = dict(document), dict(environ)
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(entry["loc"][0])
        field = Settings.model_fields[name]
        given = [source for source in sources(field) if source.read(environ, document) is not None]
        where, default = given[0].name if given else name, field.default
        unreadable = (is_number(field) and entry["type"] not in _OUT_OF_RANGE) or entry["type"] == "literal_error"
        if not unreadable or not given:
            rule = entry["msg"].removeprefix("Input ").removeprefix("Value error, ")
            raise Ima2Error("CONFIG_INVALID", 500, f"{where} {rule}.")
        warnings.append(f"{where} cannot be used as it stands; the default ({default}) is in force.")
        for source in given:
            if source.from_env:
                environ.pop(source.name)
            else:
                blanked = _blanked(blanked, source.name.split("."))
    return environ, blanked


def _blanked(document: Mapping[str, Any], steps: list[str]) -> dict[str, Any]:
    first, *rest = steps
    return {**document, first: _blanked(document[first], rest) if rest else None}


def _rules(error: ValidationError, origins: Mapping[str, str]) -> Iterator[str]:
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        place = ".".join(str(step) for step in entry["loc"]) or "the section"
        origin = origins.get(str(entry["loc"][0])) if entry["loc"] else None
        # A validator's own message may quote what it was given.
        rule = (
            "is refused by the plugin's own check"
            if entry["type"] in {"value_error", "assertion_error"}
            else entry["msg"]
        )
        yield f"{place}{f' ({origin})' if origin else ''}: {rule}"
