import hashlib
from pathlib import Path
from typing import Any

import jgo.maven
import pytest
import requests

from ops.embedded.errors import StackError
from ops.embedded.jars import KAFKA_VERSION, Jar, ensure_jars, kafka_jars

CONTENT = b"a jar"
JAR = Jar("org.example", "thing", "1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class FakeMaven:
    """Hands out one content for every artifact, or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, content: bytes = CONTENT) -> None:
        self.content = content
        self.error: Exception | None = None
        self.resolved = 0
        monkeypatch.setattr(jgo.maven, "MavenContext", self._context)

    def _context(self, repo_cache: Path, **_: Any) -> "FakeMaven":
        self.file = repo_cache / "file"
        return self

    def project(self, *_: str) -> "FakeMaven":
        return self

    def at_version(self, _: str) -> "FakeMaven":
        return self

    def artifact(self) -> "FakeMaven":
        return self

    def resolve(self) -> Path:
        self.resolved += 1
        if self.error:
            raise self.error
        self.file.write_bytes(self.content)
        return self.file


def test_the_pinned_list_holds_kafka_with_full_checksums() -> None:
    jars = kafka_jars()
    assert ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION) in [(j.group, j.artifact, j.version) for j in jars]
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_jars_are_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven, seen = FakeMaven(monkeypatch), []
    for _ in range(2):
        paths = ensure_jars(tmp_path / "jars", [JAR], lambda have, size: seen.append((have, size)))
        assert [path.read_bytes() for path in paths] == [CONTENT]
    assert maven.resolved == 1
    assert seen == [(0, len(CONTENT)), (len(CONTENT), len(CONTENT))]
    assert [entry.name for entry in (tmp_path / "jars").iterdir()] == ["thing-1.0.jar"]


def test_a_file_cut_short_is_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeMaven(monkeypatch)
    (tmp_path / JAR.file_name).write_bytes(b"a")
    assert ensure_jars(tmp_path, [JAR])[0].read_bytes() == CONTENT


def test_another_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeMaven(monkeypatch, b"a rat")
    with pytest.raises(StackError, match=r"thing-1\.0\.jar as downloaded is not the file that was pinned"):
        ensure_jars(tmp_path, [JAR])
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeMaven(monkeypatch).error = requests.ConnectionError("a very long text")
    with pytest.raises(StackError, match=r"cannot be downloaded \(ConnectionError\)\. Check the network") as caught:
        ensure_jars(tmp_path, [JAR])
    assert "\n" not in str(caught.value)
