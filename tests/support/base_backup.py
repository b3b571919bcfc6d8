"""Backs up a running region: the database with pg_basebackup, and then the bills."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from server.db.embedded import _find_run_as, binaries
from tests.support.cluster import Cluster
from tests.support.postgres import cluster_folder


def take_backup(cluster: Cluster, code: str, target: Path) -> None:
    """Back a region up into the folder `target`, while it is at work."""
    target.mkdir()
    _base_backup(cluster.database_url(code), target / "postgres")
    shutil.copytree(cluster.documents(code), target / "documents", copy_function=_copy)


def put_back(cluster: Cluster, code: str, backup: Path) -> None:
    """Make a region that was destroyed what it was at the backup; it is started by nobody."""
    shutil.copytree(backup / "documents", cluster.documents(code))
    place, run_as = cluster_folder(cluster.folder / code), _find_run_as()
    shutil.copytree(backup / "postgres", place, symlinks=True)
    if run_as is not None:
        for path in (place, *place.rglob("*")):
            os.chown(path, run_as.uid, run_as.gid)


def _base_backup(url: str, target: Path) -> None:
    at = conninfo_to_dict(url)
    command = [
        *(str(binaries(_find_run_as()) / "pg_basebackup"), f"--pgdata={target}", "--no-password"),
        *("--checkpoint=fast", "--wal-method=stream"),
        *(f"--host={at['host']}", f"--port={at['port']}", f"--username={at['user']}"),
    ]
    environment = {**os.environ, "PGPASSWORD": str(at["password"])}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def _copy(source: str, target: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # it was the half of a bill that is whole now
        shutil.copy2(source, target)
