"""Where a settings field's value comes from, and how a raw value becomes what the field wants."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from ima2.settings.config_file import find
from ima2.settings.values import as_flag, as_list, is_unset

_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class Source:
    """One place a field may come from: an environment variable, or a dotted key of config.json."""

    name: str
    from_env: bool

    def read(self, environ: Mapping[str, str], document: Mapping[str, Any]) -> Any:
        """The raw value there, ``None`` if not given."""
        value = environ.get(self.name) if self.from_env else find(document, self.name)
        return None if is_unset(value) else value


class Layer(PydanticBaseSettingsSource):
    """The fields of a settings class that one layer, environment or config.json, gives."""

    def __init__(self, model: type[BaseSettings], given: Mapping[str, Any], *, from_env: bool) -> None:
        super().__init__(model)
        self._environ, self._document = given.get("environ") or {}, given.get("document") or {}
        self._from_env = from_env

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one field in this layer, ``None`` if it gives none."""
        for source in sources(field):
            value = source.read(self._environ, self._document) if source.from_env is self._from_env else None
            if value is not None:
                return shaped(field, value), field_name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every field this layer gives."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}


def sources(field: FieldInfo, plugin: str = "", name: str = "") -> list[Source]:
    """Where a field's value is looked for, strongest first."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    own, keys = extra.get("env") or [], str(extra.get("key") or "").split()
    found = [Source(str(variable), True) for variable in (own if isinstance(own, list) else [])]
    if plugin:
        variable = f"IMA2_PLUGINS__{plugin}__{name}".upper().replace("-", "_")
        found.insert(0, Source(variable, True))
        keys.insert(0, f"plugins.{plugin}.{name}")
    return [*found, *(Source(key, False) for key in keys)]


def shaped(field: FieldInfo, value: Any) -> Any:
    """A raw value in the shape its field wants: flags by their words, lists from commas, the rest as it is."""
    kinds = set(_kinds(field.annotation))
    if bool in kinds and not isinstance(value, bool):
        return as_flag(value)
    if isinstance(value, str) and str not in kinds:
        if kinds & set(_LISTS):
            try:
                return as_list(value)
            except ValueError:
                return value
        if dict in kinds or Mapping in kinds or any(issubclass(kind, BaseModel) for kind in kinds):
            return _parsed(value)
    return value


def is_secret_field(field: FieldInfo) -> bool:
    """Whether a field's type says that its value must not be shown."""
    return SecretStr in set(_kinds(field.annotation))


def is_number(field: FieldInfo) -> bool:
    """Whether a field holds a number."""
    return bool({int, float} & set(_kinds(field.annotation)))


def checked(field: FieldInfo, value: Any) -> Any:
    """A raw value that fits its field; ``ValueError`` with the rule when it does not."""
    annotation: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    try:
        adapter.validate_python(shaped(field, value))
    except ValidationError as error:
        rules = (entry["msg"] for entry in error.errors(include_url=False, include_input=False, include_context=False))
        raise ValueError("; ".join(dict.fromkeys(rules))) from None
    return value


def _kinds(annotation: Any) -> Iterator[type]:
    """The classes of an annotation, without ``None``, aliases and parameters."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and origin is None:
        yield annotation
    elif isinstance(origin, type) and not get_args(annotation):
        yield origin
    elif origin in _LISTS or origin is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        yield dict if origin not in _LISTS else origin
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin is not Literal:
        for argument in get_args(annotation):
            if argument is not type(None):
                yield from _kinds(argument)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
