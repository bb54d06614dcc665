"""A private PostgreSQL cluster, as durable as a real one: fsync and synchronous_commit are on, unless it is for tests
that make a database each and never end the server."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import process_table
from .node import Command, Node, as_user, environment
from .place import BACKUPS, Place, StackError
from .process_table import ProcessId

DATABASE = "todo"
ROLE = "todo"  # owns the database and is no superuser: migrations must not need one
SUPERUSER = "postgres"

# PostgreSQL refuses to run as root, so root runs it as this user, whose home is reachable when ours is not.
SYSTEM_USER = "postgres"
SYSTEM_HOME = Path("/var/lib/postgresql")


def find_program(name: str) -> Path:
    """Debian keeps the server's programs out of PATH, one folder per version: the newest counts."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: _version(path.parts[-3]))
    if versions:
        return versions[-1]
    if found := shutil.which(name):
        return Path(found)
    raise StackError(f"PostgreSQL's '{name}' is not installed: run tools/setup")


class Postgres(Node):
    """Listens on 127.0.0.1 only and asks for a password; it has no Unix socket, whose path may get too long."""

    stop_signal = signal.SIGINT  # "fast": ends the clients' sessions instead of waiting for them

    def __init__(self, place: Place, *, durable: bool = True) -> None:
        super().__init__("postgres", place)
        self._durable = durable
        self._user = SYSTEM_USER if os.geteuid() == 0 else None

    @property
    def port(self) -> int:
        return self.place.ports["postgres"]

    @property
    def url(self) -> str:
        """For the service, and for Dapr's state store: holds the password, so it travels by environment and file."""
        return self._url(ROLE, DATABASE)

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, DATABASE)

    def query(self, sql: str, *, superuser: bool = False, database: str = DATABASE) -> str:
        """Runs SQL and returns psql's bare output: columns divided by '|', one row per line."""
        user = SUPERUSER if superuser else ROLE
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]
        return self._run(command, user, database).strip()

    def dump(self) -> Path:
        """Makes a backup of the database as it is now, under whatever runs, and returns its file."""
        folder = self.place.directory / BACKUPS
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{len(list(folder.iterdir()))}.dump"
        self._run(["pg_dump", "--format=custom", f"--file={file}"], SUPERUSER, DATABASE)
        return file

    def restore(self, backup: Path) -> None:
        """Sets the database back to `backup`, while services and sidecars run: they lose their connections, and find
        the old state when they connect again. There is no moment at which they find half of it."""
        restored = f"{DATABASE}_restored"
        self._administer(f"drop database if exists {restored} with (force)",
                         f"create database {restored} owner {ROLE} template template0")
        self._run(["pg_restore", "--exit-on-error", f"--dbname={restored}", str(backup)], SUPERUSER, "postgres")
        self._administer(f"alter database {DATABASE} allow_connections false",
                         f"drop database {DATABASE} with (force)",
                         f"alter database {restored} rename to {DATABASE}")

    def prepare(self) -> None:
        data = self._data()
        if not (data / "PG_VERSION").exists():
            self._make_cluster(data)
        version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != find_program("postgres").parts[-3] and find_program("postgres").is_relative_to("/usr/lib"):
            raise StackError(f"{data} was made by PostgreSQL {version}, which is not the one installed: use --fresh")
        # Nothing of ours runs here any more (see left_behind), but its pid may be another program's by now,
        # and then PostgreSQL would refuse to start.
        (data / "postmaster.pid").unlink(missing_ok=True)

    def command(self) -> Command:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %a ",
        }
        data = str(self._data())
        argv = [str(find_program("postgres")), "-D", data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Command(argv, cwd=Path("/"), user=self._user)

    def not_ready(self) -> str | None:
        """Also makes role and database, on the first start."""
        try:
            found = self.query(
                f"select 1 from pg_database where datname = '{DATABASE}'", superuser=True, database="postgres"
            )
            if not found:
                self._make_database()
        except StackError as error:
            return str(error)
        return None

    def left_behind(self) -> list[ProcessId]:
        data = self.place.directory / "postgres"
        return process_table.working_in(data) if data.exists() else []

    def _data(self) -> Path:
        """The cluster's folder; a link in ours leads to it when PostgreSQL's user cannot come in here."""
        link = self.place.directory / "postgres"
        if self._user and not link.is_symlink() and not link.exists() and not _reachable(self.place.directory):
            name = hashlib.sha256(str(self.place.directory).encode()).hexdigest()[:16]
            target = SYSTEM_HOME / "todo-stack" / name
            if not SYSTEM_HOME.is_dir():
                raise StackError(f"user {SYSTEM_USER} cannot reach {self.place.directory}: use another folder")
            shutil.rmtree(target, ignore_errors=True)
            link.symlink_to(target)
        return link.resolve() if link.is_symlink() else link

    def _administer(self, *statements: str) -> None:
        for sql in statements:
            self.query(sql, superuser=True, database="postgres")

    def _run(self, command: Sequence[str], user: str, database: str) -> str:
        """Runs a client program of PostgreSQL and returns its output."""
        program, *arguments = command
        done = subprocess.run(
            [find_program(program), *arguments],
            env=environment(
                {
                    "PGHOST": "127.0.0.1",
                    "PGPORT": str(self.port),
                    "PGUSER": user,
                    "PGPASSWORD": self._password(user),
                    "PGDATABASE": database,
                    "PGCONNECT_TIMEOUT": "3",
                }
            ),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(done.stderr.strip())
        return done.stdout

    def _make_cluster(self, data: Path) -> None:
        shutil.rmtree(data, ignore_errors=True)
        temporary = data.with_suffix(".new")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True, mode=0o700)
        password = data.with_suffix(".password")
        password.touch(mode=0o600)
        password.write_text(self._password(SUPERUSER), encoding="ascii")
        initdb = [str(find_program("initdb")), "-D", str(temporary), "-U", SUPERUSER, f"--pwfile={password}"]
        initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._user:
            for path in (temporary, password):
                shutil.chown(path, self._user, self._user)
            initdb = ["setpriv", *as_user(self._user), "--", *initdb]
        with self.log.open("ab") as log:
            done = subprocess.run(initdb, env=environment({}), cwd="/", stdout=log, stderr=log, check=False)
        password.unlink()
        if done.returncode:
            raise StackError(f"initdb failed\n{self.last_words()}")
        temporary.replace(data)

    def _make_database(self) -> None:
        password = self._password(ROLE)  # of our own making: letters, digits, '-' and '_'
        if not self.query(f"select 1 from pg_roles where rolname = '{ROLE}'", superuser=True, database="postgres"):
            self.query(f"create role {ROLE} login password '{password}'", superuser=True, database="postgres")
        self.query(f"create database {DATABASE} owner {ROLE}", superuser=True, database="postgres")

    def _password(self, user: str) -> str:
        return self.place.secret("postgres", user)

    def _url(self, user: str, database: str) -> str:
        return f"postgresql://{user}:{self._password(user)}@127.0.0.1:{self.port}/{database}?sslmode=disable"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _reachable(directory: Path) -> bool:
    """Whether PostgreSQL's user may pass through this folder and all above it."""
    user = pwd.getpwnam(SYSTEM_USER)
    for folder in (directory, *directory.parents):
        status = folder.stat()
        allowed = 0o001 if status.st_uid != user.pw_uid else 0o100
        if not status.st_mode & allowed:
            return False
    return True
