"""PostgreSQL's own load program, as a peer."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from .databases import Child, Costs, Server
from .pairs import Sample

SCRIPTS = Path(__file__).resolve().parents[1] / "peers" / "sql"
WARM_UP = 1  # seconds, in which connections make their plans
PROGRESS = re.compile(r"progress: ([\d.]+) s, ([\d.]+) tps")


def pgbench(child: Child, server: Server, database: str, script: str | Path, *, clients: int, seconds: float, users: int,
            per_script: int = 1, with_times: bool = False, mode: str = "prepared") -> Sample:
    """Runs a script, by its name in peers/sql or by its path, for whole seconds, at least one; `per_script` is the number of
    operations in it. `with_times`: the times of the scripts are written down, which costs the program something."""
    length = max(1, round(seconds))
    rates: list[float] = []
    costs = Costs(server)
    window = 0.0

    def look(line: str) -> None:
        nonlocal window
        assert "ERROR" not in line, line
        if found := PROGRESS.match(line):
            at = float(found[1])
            if at > WARM_UP + 0.5 and len(rates) < length:
                rates.append(float(found[2]) * per_script)
                if len(rates) == length:
                    sample.update(costs.of(sum(rates)))
            elif at <= WARM_UP + 0.5:
                costs.begin()
                window = time.time()

    sample: Sample = {}
    with tempfile.TemporaryDirectory(prefix="todo-pgbench-") as folder:
        command: list[str | Path] = [
            "pgbench", server.url(database), "-n", "-M", mode, "-c", str(clients), "-j", str(min(clients, 2)),
            "-T", str(WARM_UP + length + 1), "-P", "1", "-D", f"users={users}", "-f",
            script if isinstance(script, Path) else SCRIPTS / f"{script}.sql"]
        if with_times:
            command += ["--log", f"--log-prefix={folder}/times"]
        child.follow(command, look, {"PGOPTIONS": "-c jit=off"})  # as the service has it
        times = sorted(int(fields[2]) for file in Path(folder).glob("times*") for line in file.read_text().splitlines()
                       if int((fields := line.split())[4]) >= window)
    assert len(rates) == length, f"pgbench told {len(rates)} of {length} seconds"
    if times:
        sample |= {"p50_ms": times[len(times) // 2] / 1e3 / per_script, "p99_ms": times[len(times) * 99 // 100] / 1e3}
    return {**sample, "rate": sum(rates) / length, "count": sum(rates)}
