"""Kafka's jars: pinned by coordinates and SHA-256 in ``kafka_jars.txt``, downloaded once into the user's cache.

Once they are there no network is touched.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from ops.embedded.errors import StackError

KAFKA_VERSION = "4.4.0"
JAR_LIST = Path(__file__).with_name("kafka_jars.txt")
_DOWNLOADS_AT_ONCE = 4

Progress = Callable[[int, int], None]
"""Told the bytes that are there and the bytes there will be."""


@dataclass(frozen=True, slots=True)
class Jar:
    """A file of a Maven repository, its size in bytes and its SHA-256 in hexadecimal."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file, as in the repository."""
        return f"{self.artifact}-{self.version}.jar"


def parse_jar_list(text: str) -> list[Jar]:
    """The jars of lines like ``group:artifact:version SIZE SHA256``."""
    jars = []
    for line in text.splitlines():
        coordinates, size, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def kafka_jars() -> list[Jar]:
    """The pinned list."""
    return parse_jar_list(JAR_LIST.read_text())


def jar_folder() -> Path:
    """Where the jars are kept."""
    return platformdirs.user_cache_path("hfts") / f"kafka-{KAFKA_VERSION}"


def ensure_jars(folder: Path, jars: list[Jar], progress: Progress = lambda _have, _all: None) -> list[Path]:
    """The paths of all jars, after downloading those which are missing or cut short.

    Raises StackError when they cannot be had.
    """
    missing = [jar for jar in jars if not _is_complete(folder / jar.file_name, jar)]
    if missing:
        _download(folder, missing, progress)
    return [folder / jar.file_name for jar in jars]


def _is_complete(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size


def _download(folder: Path, jars: list[Jar], progress: Progress) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of our own: several stacks may start at once, and a file appears only when it is whole.
        staging = Path(tempfile.mkdtemp(prefix=".download-", dir=folder))
    except OSError as error:
        raise StackError(f"Kafka's jars cannot be kept in {folder}: {error.strerror}. Make it writable") from error
    size = sum(jar.size for jar in jars)
    have = 0
    pool = ThreadPoolExecutor(_DOWNLOADS_AT_ONCE)
    try:
        progress(0, size)
        for jar in pool.map(lambda jar: _download_one(staging, folder, jar), jars):
            have += jar.size
            progress(have, size)
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(staging, ignore_errors=True)


def _download_one(staging: Path, folder: Path, jar: Jar) -> Jar:
    path = _fetch(staging, jar)
    if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
        raise StackError(f"{jar.file_name} as downloaded is not the file that was pinned. Check the Maven repository")
    os.replace(path, folder / jar.file_name)  # noqa: PTH105 (moves over a broken file at once)
    return jar


def _fetch(staging: Path, jar: Jar) -> Path:
    import jgo.constants  # noqa: PLC0415 (slow, and needed only when something is missing)
    import jgo.maven  # noqa: PLC0415
    from jgo.config import GlobalSettings  # noqa: PLC0415

    # Repositories of the user's own (jgo.conf) come first: they may be mirrors.
    repositories = {**GlobalSettings.load().repositories, "central": jgo.constants.MAVEN_CENTRAL_URL}
    context: Any = jgo.maven.MavenContext(repo_cache=staging, remote_repos=repositories)
    try:
        return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise StackError(
            f"{jar.file_name} of Kafka cannot be downloaded ({_short(error)}). Check the network or the proxy and try "
            "again; it is needed only once"
        ) from error


def _short(error: Exception) -> str:
    """The kind of error: requests' own texts fill a screen."""
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
