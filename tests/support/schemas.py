"""The event contract's schemas, as shipped in docs/events."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema
import referencing

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "events"


@functools.cache
def validator(name: str) -> jsonschema.Draft7Validator:
    registry: referencing.Registry = referencing.Registry()
    for path in FOLDER.glob("*.json"):
        content = json.loads(path.read_text())
        resource = referencing.Resource.from_contents(content)
        registry = registry.with_resources([(name, resource) for name in {path.name, content.get("$id", path.name)}])
    return jsonschema.Draft7Validator(
        json.loads((FOLDER / name).read_text()),
        registry=registry,
        format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
    )
