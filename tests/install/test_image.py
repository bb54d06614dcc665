"""The container image: what is in it, and that it can be made again."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from image import Image, build

from tools.stack.installed import where

LIMIT_MB = 40  # as a registry keeps it
USER = 65532


def test_made_twice_it_has_the_same_digest(image: Image, tmp_path: Path) -> None:
    assert build(tmp_path / "elsewhere", umask=0o077) == image.digest


def test_it_is_small(image: Image) -> None:
    assert sum(one["size"] for one in image.layers) < LIMIT_MB * 1_000_000


def test_it_runs_as_nobody(image: Image) -> None:
    assert image.config["User"] == f"{USER}:{USER}"
    assert image.config["Entrypoint"] == ["/usr/bin/todo-service"]


def test_nothing_but_the_service_can_be_run(image: Image) -> None:
    """No shell and no tool: the one program, and the loader of programs, which is a library as well."""
    programs = sorted(path.name for path in (image.root / "usr" / "bin").iterdir())
    assert programs == ["todo-service"]
    for name in ("sh", "bash", "busybox", "perl", "python3", "apt"):
        assert not list(image.root.rglob(name))


def test_nobody_can_change_it(image: Image) -> None:
    for path in image.root.rglob("*"):
        status = path.lstat()
        assert not status.st_mode & (stat.S_ISUID | stat.S_ISGID), path
        if os.getuid() == 0:
            assert (status.st_uid, status.st_gid) == (0, 0), path
        if not path.is_symlink() and path != image.root / "tmp":
            assert not status.st_mode & 0o022, path
    assert (image.root / "tmp").stat().st_mode & 0o7777 == 0o1777


@pytest.mark.skipif(os.getuid() != 0, reason="changing the root needs root")
def test_every_library_is_there(image: Image) -> None:
    done = subprocess.run([shutil.which("chroot", path="/usr/sbin:/usr/bin") or "chroot", f"--userspec={USER}:{USER}", image.root, *image.config["Entrypoint"], "--version"],
                          env={}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["todo-service", image.tag], done.stderr


def test_it_knows_zones_and_authorities(image: Image) -> None:
    assert (image.root / "usr/share/zoneinfo/Europe/Berlin").read_bytes()[:4] == b"TZif"
    assert not (image.root / "usr/share/zoneinfo/right").exists()
    # Debian's authorities, not those that the owner of this machine trusts besides.
    authorities = len(list(Path("/usr/share/ca-certificates/mozilla").glob("*.crt")))
    bundle = (image.root / "etc/ssl/certs/ca-certificates.crt").read_text("ascii")
    assert bundle.count("BEGIN CERTIFICATE") == authorities > 100


def test_the_list_of_its_contents_names_every_package(image: Image, tmp_path: Path) -> None:
    """As `make image` writes it: scanners of known holes look up these names and versions."""
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    done = subprocess.run([where("syft"), "scan", "--quiet", f"oci-dir:{image.folder}", "-o", "spdx-json"],
                          env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = {one["name"]: one.get("versionInfo") for one in json.loads(done.stdout)["packages"]}
    installed = {path.name for path in (image.root / "var/lib/dpkg/status.d").iterdir()}
    assert installed <= set(listed)
    assert {"libc6", "libssl3", "libgrpc++1.51", "libpq5", "tzdata", "ca-certificates"} <= installed
    version = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", "libssl3"],
                             capture_output=True, text=True, check=True).stdout
    assert listed["libssl3"] == version
