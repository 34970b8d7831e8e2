"""Reads and checks config.toml: one line for each mistake, with the key, its value and what is allowed."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from streammetrics.config.rules import Rule, SequentialRule
from streammetrics.config.section import Section
from streammetrics.config.sections import Config
from streammetrics.errors import ConfigError
from streammetrics.runtime import failpoints

DEFAULT_CONFIG = Path("config.toml")
ENVIRONMENT_PREFIX = "STREAMMETRICS_"


def load(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read settings from `path`, or the defaults where it is None.

    Raises:
        ConfigError: the file is missing, is not TOML, or keys are missing, unknown or out of range, a line for each.
    """
    where = "settings" if path is None else str(path)
    values = {} if path is None else _toml(path)
    if "base" in values:
        raise ConfigError(f"{where}: base: unknown key; known are: {_known(Config)}")
    _override(values, environ)
    try:
        return Config.model_validate({**values, "base": path.parent if path is not None else Path()})
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {_sentence(detail)}" for detail in error.errors())) from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; name one with --config FILE") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None


def _override(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Override the file's values by STREAMMETRICS_<SECTION>_<KEY>, read as TOML if it is valid TOML, else as text."""
    overrides = {name for name in environ if name.startswith(ENVIRONMENT_PREFIX)} - {failpoints.VARIABLE}
    for variable in sorted(overrides):
        section, _, key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
        model = section_of(section)
        if model is None or key not in model.model_fields:
            raise ConfigError(
                f"environment: {variable}: no such key; it must name a section and key of config.toml, "
                f"such as {ENVIRONMENT_PREFIX}STORE_PATH (lists such as [[rule]] cannot be overridden)"
            )
        text = environ[variable]
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"environment: {variable}: {text}: is not UTF-8") from None
        is_text = model.model_fields[key].annotation in (str, str | None)
        try:
            value = text if is_text else tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        if isinstance(values.setdefault(section, {}), dict):
            values[section][key] = value


def section_of(name: str) -> type[Section] | None:
    """The model of a [section]; None for a list such as [[rule]], and for other keys."""
    field = Config.model_fields.get(name)
    annotation = field.annotation if field else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def _sentence(detail: ErrorDetails) -> str:
    """One mistake in one line: the key, its value, what is allowed."""
    location = _without_tags(detail["loc"])
    where = ".".join(f"[{part + 1}]" if isinstance(part, int) else part for part in location).replace(".[", "[")
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        model = _model_at(detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), _keys(model), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are: {_known(model)}"
        return f"{where}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{where}: is missing"
    if detail["type"] == "union_tag_not_found":
        return f"{where}.detector: is missing"
    if detail["type"] == "union_tag_invalid":
        context = detail["ctx"]
        return f"{where}.detector = {context['tag']!r}: input should be one of {context['expected_tags']}"
    # A value of `url` may hold a password.
    is_secret = location[-1:] == ("url",) or "://" in repr(detail["input"])
    value = "" if is_secret else f" = {detail['input']!r}"
    if detail["type"] == "model_type":
        return f"{where}{value}: is a section; write its keys below [{where}]"
    if detail["type"] == "tuple_type" and isinstance(detail["input"], dict):
        return f"{where}: is a list of sections; write its keys below [[{where}]]"
    if detail["type"] == "tuple_type":
        example = (
            f"[{json.dumps(detail['input'])}]" if isinstance(detail["input"], str) and not is_secret else "[5, 10]"
        )
        return f"{where}{value}: is a list, written such as {example}"
    if detail["type"] == "too_short" and not detail["input"]:
        return f"{where} = []: needs at least one"
    if isinstance(detail["input"], dict) or not where:
        return f"{where}: {message}" if where else message
    return f"{where}{value}: {message[0].lower()}{message[1:]}"


def _without_tags(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """A place in the file, without the detector that pydantic adds to a [[rule]], whose keys depend on it."""
    return tuple(part for place, part in enumerate(location) if not (place == 2 and location[0] == "rule"))


def _keys(model: type[Section]) -> list[str]:
    return [name for name in model.model_fields if name != "base"]


def _known(model: type[Section]) -> str:
    return ", ".join(_keys(model))


def _model_at(location: tuple[int | str, ...]) -> type[Section]:
    """The section of an error's location."""
    model: type[Section] = Config
    for part in location:
        if isinstance(part, str):
            model = _rule_of(part) or _inner(model.model_fields[part].annotation) or model
    return model


def _rule_of(detector: str) -> type[Section] | None:
    """The model of a [[rule]] with this detector."""
    kinds: tuple[type[Section], ...] = (Rule, SequentialRule)
    return next((kind for kind in kinds if detector in get_args(kind.model_fields["detector"].annotation)), None)


def _inner(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _inner(arg))), None)
