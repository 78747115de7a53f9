"""Reading the data tables a bank may replace (categories, merchants)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError


class TableError(ValueError):
    """A table that cannot be used; the message names the file and the entry, for whoever edits it."""


def read_table(path: Path) -> Mapping[str, Any]:
    """The mapping a YAML file holds. Raises TableError when it is missing, malformed or not a mapping."""
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise TableError(f"{path}: {error}") from error
    if not isinstance(content, Mapping):
        raise TableError(f"{path}: a mapping is expected at the top")
    return content


def strings(owner: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The list of texts under ``key``, empty when left out. ``owner`` names the entry in an error."""
    value = entry.get(key) or ()
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise TableError(f"{owner}: {key} is a list of texts")
    return tuple(value)
