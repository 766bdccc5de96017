"""What packages `har watch` for others: the unit of systemd, and the files of the container."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "systemd" / "har-watch.service"
MOST_EXPOSURE = 3.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


def _analyze(*words: object) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@needs_systemd
def test_the_unit_is_verified(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/har/bin/har", sys.executable)
    unit.write_text(text)
    done = _analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(text.replace("ProtectHome=true", "ProtectHome=perhaps"))
    assert "protect home value" in _analyze("verify", "--man=no", unit).stderr, "it can fail"


@needs_systemd
def test_the_unit_is_hardly_exposed() -> None:
    done = _analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", UNIT)
    assert done.returncode == 0, done.stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) < MOST_EXPOSURE


def _read_instructions() -> dict[str, list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word.isupper():
            found.setdefault(word, []).append(rest.strip())
    return found


def test_the_container_has_no_rights() -> None:
    image = _read_instructions()
    assert image["USER"] == ["10001:10001"]
    assert image["VOLUME"] == ['["/srv/har/alerts", "/srv/har/models"]']
    assert "/healthz" in image["HEALTHCHECK"][0]
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["watch"]
    assert service["read_only"] is True
    assert service["user"] == image["USER"][0]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert mounted == {"/etc/har/watch.toml", "/srv/har/alerts", "/srv/har/models"}


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    copied = {
        word
        for line in _read_instructions()["COPY"]
        if not line.startswith("--from")
        for word in line.split()[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
