"""An OCI image layout (https://github.com/opencontainers/image-spec) whose bytes depend on nothing but its content."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TYPE = "application/vnd.oci.image"
# Folders that others may write into, as in every system.
_MODES = {"tmp": 0o1777}


@dataclass(frozen=True)
class Layer:
    blob: dict[str, Any]  # its descriptor
    content: str  # digest of the archive before it was compressed
    title: str


class Layout:
    """A folder that becomes an image layout. `created` is in seconds since 1970, and the time of every file."""

    def __init__(self, folder: Path, created: int) -> None:
        self.folder = folder
        self.created = created
        (folder / "blobs" / "sha256").mkdir(parents=True)

    def add_layer(self, root: Path, title: str) -> Layer:
        archive = _archive(root, self.created)
        # No name and no time in the head of the compressed file.
        packed = gzip.compress(archive, compresslevel=6, mtime=0)
        return Layer(self._add(packed, f"{_TYPE}.layer.v1.tar+gzip"), _digest(archive), title)

    def finish(self, layers: Sequence[Layer], architecture: str, config: Mapping[str, Any], tag: str) -> str:
        """Writes what remains; returns the digest of the image."""
        created = _iso(self.created)
        image = {
            "created": created,
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [one.content for one in layers]},
            "history": [{"created": created, "created_by": one.title} for one in layers],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_TYPE}.manifest.v1+json",
            "config": self._add(_json(image), f"{_TYPE}.config.v1+json"),
            "layers": [one.blob for one in layers],
            "annotations": config["Labels"],
        }
        descriptor = self._add(_json(manifest), manifest["mediaType"])
        descriptor["platform"] = {"architecture": architecture, "os": "linux"}
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
        index = {"schemaVersion": 2, "mediaType": f"{_TYPE}.index.v1+json", "manifests": [descriptor]}
        (self.folder / "index.json").write_bytes(_json(index))
        (self.folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
        return str(descriptor["digest"])

    def _add(self, content: bytes, media_type: str) -> dict[str, Any]:
        digest = _digest(content)
        (self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _archive(root: Path, time: int) -> bytes:
    """All of a folder in the order of its names, owned by root."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(root.rglob("*"), key=os.fspath):
            name = str(path.relative_to(root))
            entry = archive.gettarinfo(path, name)
            # Two names of one file are two files: which of them is the link would depend on the disk.
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = time, 0, 0, "", ""
            if path.is_symlink():
                entry.mode = 0o777
                archive.addfile(entry)
            elif path.is_dir():
                entry.mode = _MODES.get(name, 0o755)
                archive.addfile(entry)
            else:
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
                with path.open("rb") as content:
                    archive.addfile(entry, content)
    return out.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _iso(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
