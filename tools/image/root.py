"""The files of the image: where each comes from, and the Debian package that it belongs to."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = "usr/bin/todo-service"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"  # where OpenSSL, libcurl and gRPC of Debian look
USER = 65532
ZONES = "/usr/share/zoneinfo/"
AUTHORITIES = "/usr/share/ca-certificates/mozilla/"
# Copies of all zones with other leap seconds, which nobody asks for.
ZONE_COPIES = (f"{ZONES}right/", f"{ZONES}posix/")

TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nologin\ntodo:x:{USER}:{USER}:todo-service:/:/nologin\n",
    "etc/group": f"root:x:0:\ntodo:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


class ImageError(Exception):
    """The image cannot be made here; the text is meant for people."""


def fill(binary: Path, base: Path, service: Path) -> None:
    """Writes two empty folders full: what changes with Debian's packages, and what changes with each commit."""
    packages = _Packages()
    used = {"ca-certificates", "tzdata"}
    _links(base)
    for library in _libraries(binary):
        used.add(packages.owner(library))
        # Under the name that the binary asks for, whatever it links to.
        _copy(library.resolve(), base / "usr" / _without_usr(library))
    _zones(packages, base)
    _authorities(packages, base)
    for name, text in TEXTS.items():
        _write(base / name, text)
    _write(base / "etc/os-release", Path("/etc/os-release").read_text("utf-8"))
    (base / "tmp").mkdir()
    for package in sorted(used):
        # Scanners read the packages of images without a package manager here, as of Google's "distroless" images.
        _write(base / "var/lib/dpkg/status.d" / package, packages.status(package))
        _copy(Path(f"/usr/share/doc/{package}/copyright").resolve(), base / f"usr/share/doc/{package}/copyright")
    _copy(binary, service / BINARY)
    subprocess.run(["strip", "--strip-unneeded", service / BINARY], check=True)
    (service / BINARY).chmod(0o755)
    _copy(REPOSITORY / "LICENSE", service / "usr/share/doc/todo-service/copyright")


def _links(base: Path) -> None:
    (base / "usr").mkdir(parents=True)
    for name in ("lib", "lib64", "bin"):
        (base / "usr" / name).mkdir()
        (base / name).symlink_to(f"usr/{name}")


def _libraries(binary: Path) -> list[Path]:
    done = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
    if done.returncode or "not found" in done.stdout:
        raise ImageError(f"{binary} does not run here: {done.stderr.strip() or done.stdout.strip()}")
    return sorted({Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)})


def _zones(packages: _Packages, base: Path) -> None:
    for file in packages.files("tzdata"):
        path = Path(file)
        if not file.startswith(ZONES) or file.startswith(ZONE_COPIES) or path.is_dir():
            continue
        target = base / _without_root(path)
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.readlink())
        else:
            _copy(path, target)


def _authorities(packages: _Packages, base: Path) -> None:
    """Debian's authorities only: the bundle of this machine may have further ones, of its owner."""
    certificates = [Path(file) for file in packages.files("ca-certificates")
                    if file.startswith(AUTHORITIES) and file.endswith(".crt")]
    _write(base / BUNDLE, "".join(one.read_text("ascii").strip() + "\n" for one in sorted(certificates)))
    # OpenSSL's own default.
    (base / "usr/lib/ssl").mkdir(parents=True)
    (base / "usr/lib/ssl/certs").symlink_to("/etc/ssl/certs")
    (base / "usr/lib/ssl/cert.pem").symlink_to(f"/{BUNDLE}")


class _Packages:
    """What dpkg knows of this machine."""

    def __init__(self) -> None:
        self._lists = Path("/var/lib/dpkg/info")
        if not self._lists.is_dir():
            raise ImageError("the image is made of Debian's packages: run this on Debian 12, or use the Dockerfile")
        self._owners: dict[str, str] = {}
        for file in sorted(self._lists.glob("*.list")):
            for line in file.read_text("utf-8").splitlines():
                self._owners[line] = file.stem.partition(":")[0]

    def owner(self, path: Path) -> str:
        # Packages list a file of /usr/lib under /lib or under /usr/lib, as their makers liked.
        rest = _without_usr(path)
        for candidate in (f"/{rest}", f"/usr/{rest}"):
            if candidate in self._owners:
                return self._owners[candidate]
        raise ImageError(f"{path} belongs to no Debian package: nobody would know that it is in the image")

    def files(self, package: str) -> Iterator[str]:
        found = [*self._lists.glob(f"{package}.list"), *self._lists.glob(f"{package}:*.list")]
        if not found:
            raise ImageError(f"the Debian package {package} is not installed: run tools/setup")
        yield from sorted(found[0].read_text("utf-8").splitlines())

    def status(self, package: str) -> str:
        done = subprocess.run(["dpkg-query", "--status", package], capture_output=True, text=True, check=True)
        # A package that is there for several architectures is told several times.
        text = done.stdout.strip().split("\n\n")[0]
        return re.sub(r"^Conffiles:\n( .*\n?)*", "", text, flags=re.M).strip() + "\n"


def _without_root(path: Path) -> Path:
    return path.relative_to("/")


def _without_usr(path: Path) -> Path:
    path = _without_root(path)
    return path.relative_to("usr") if path.parts[0] == "usr" else path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o111 else 0o644)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(0o644)
