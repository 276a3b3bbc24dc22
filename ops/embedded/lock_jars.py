"""Pins Kafka's jars again: ``python -m ops.embedded.lock_jars`` rewrites ``kafka_jars.txt`` for KAFKA_VERSION."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import jgo
import jgo.maven

from ops.embedded.jars import JAR_LIST, KAFKA_VERSION


def main() -> None:
    """Resolve what a broker needs, download it, and write coordinates, sizes in bytes and SHA-256."""
    needed: list[Any] = jgo.resolve(f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}")
    coordinates = [(jar.groupId, jar.artifactId, jar.version) for jar in needed]
    # Kafka logs through slf4j; its own packages bring no binding to the log4j it depends on.
    log4j = next(version for _, artifact, version in coordinates if artifact == "log4j-core")
    coordinates.append(("org.apache.logging.log4j", "log4j-slf4j-impl", log4j))
    with tempfile.TemporaryDirectory() as folder:
        context: Any = jgo.maven.MavenContext(repo_cache=Path(folder))
        lines = []
        for group, artifact, version in sorted(coordinates):
            path = Path(context.project(group, artifact).at_version(version).artifact().resolve())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{group}:{artifact}:{version} {path.stat().st_size} {digest}\n")
    JAR_LIST.write_text("".join(lines))
    print(f"{len(lines)} jars pinned in {JAR_LIST}")


if __name__ == "__main__":
    main()
