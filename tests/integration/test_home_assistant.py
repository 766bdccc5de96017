"""Home Assistant is told through a real broker, which may die and return; pages of it are kept."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import make_bundle
from mosquitto import Listener, Mosquitto, find_free_port, find_mosquitto
from videos import make_video

import har
from har.config import MqttConfig, WatchSettings, load_config
from har.live.homeassistant import HomeAssistant, describe_device
from har.live.messages import Alert, CameraState, LiveEvent
from har.live.mqtt import Broker
from har.types import Event

needs_broker = pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto")
HIDDEN = "s3cr3t"
BEGAN = datetime(2025, 7, 1, 12, tzinfo=UTC)
LABELS = {"Hits others": "hits_others", "active": "active"}


def _event(label: str, is_open: bool, onset_s: float = 4.0) -> LiveEvent:
    return LiveEvent("hall", Event(label, onset_s, onset_s + 2, 0.875), BEGAN, is_open)


def _open(port: int, **more: object) -> tuple[Broker, HomeAssistant]:
    config = MqttConfig("127.0.0.1", port, **more)  # type: ignore[arg-type]
    broker = Broker(config)
    return broker, HomeAssistant(broker, config, ["hall", "yard"], list(LABELS), "fight")


def _walk(heard: Listener, topic: str) -> list[str]:
    """Return what a state went through; while the connection begins it may come twice."""
    return [text for text, _ in groupby(heard.texts(topic))]


@needs_broker
def test_all_of_a_watch_arrives(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")

    def paint(index: int) -> np.ndarray:
        image = np.full((64, 96, 3), 90, np.uint8)
        left = 10 + (index * 4) % 60
        image[20:44, left : left + 20] = 230 if index % 2 else 20
        return image

    video = make_video(tmp_path / "room.mp4", [index / 25 for index in range(50)], paint=paint)
    server = Mosquitto(tmp_path, HIDDEN)
    with server as broker, Listener(broker.port, HIDDEN) as heard:
        (tmp_path / "password").write_text(f"{HIDDEN}\n")
        path = tmp_path / "watch.toml"
        path.write_text(
            f"[sources]\nhall = '{video}'\n[alerts]\nscore = 0.6\nmin_s = 0.5\n"
            f"[alerts.labels.still]\non = false\n"
            f"[mqtt]\nhost = '127.0.0.1'\nport = {broker.port}\nusername = 'har'\n"
            f"password = 'file:{tmp_path}/password'\npicture = true\n"
        )
        har.watch(settings=path, model=bundle, out=tmp_path / "out")
        heard.wait(lambda: heard.texts("har/status") == ["online", "offline"])
        assert _walk(heard, "har/hall/label/active") == ["OFF", "ON", "OFF"]
        (alert,) = [json.loads(text) for text in heard.texts("har/hall/alert")]
        assert (alert["event_type"], alert["camera"]) == ("active", "hall")
        assert (tmp_path / "out" / "alerts" / f"{alert['id']}.json").is_file()
        last = json.loads(heard.texts("har/hall/event")[-1])
        assert (last["label"], last["is_open"]) == ("active", False)
        jpeg = np.frombuffer(heard.last()["har/hall/picture"], np.uint8)
        assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape == (64, 96, 3)
        assert _walk(heard, "har/hall/available") == ["offline", "online", "offline"]
        state = json.loads(heard.texts("har/hall/state")[-1])
        assert (state["state"], state["n_frames"]) == ("ended", 50)
        found = json.loads(heard.texts("homeassistant/device/har_hall/config")[0])
        assert found["device"]["model"] == "bundle"


@needs_broker
def test_a_broker_that_dies_and_returns_has_lost_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = find_free_port()
    with Mosquitto(tmp_path, port=port) as server:
        broker, home = _open(port)
        home.on_event(_event("active", is_open=True))
        with Listener(port) as heard:
            heard.wait(lambda: heard.texts("har/hall/label/active")[-1:] == ["ON"])
            before = heard.last()
        server.kill()
        home.on_event(_event("active", is_open=False))
        home.on_event(_event("Hits others", is_open=True, onset_s=9.0))
        home.on_alert(Alert(_event("Hits others", True, 9.0), BEGAN), "hall_1")
    with Mosquitto(tmp_path, port=port), Listener(port) as heard:
        heard.wait(lambda: bool(heard.texts("har/hall/alert")))
        heard.wait(lambda: heard.last().keys() >= before.keys())
        after = heard.last()
        broker.close()
        heard.wait(lambda: heard.texts("har/status")[-1] == "offline")
    changed = {topic for topic in before if after[topic] != before[topic]}
    assert changed == {"har/hall/label/active", "har/hall/label/hits_others", "har/hall/event"}
    assert after["har/hall/label/active"] == b"OFF"
    assert after["har/hall/label/hits_others"] == b"ON"
    assert json.loads(after["har/hall/alert"])["id"] == "hall_1"
    assert len(before) == 2 + 2 * 2 + 2 + 1 + 1, "configs, labels, availability, event, status"
    assert "The MQTT broker 127.0.0.1 is away" in caplog.text
    assert "is back" in caplog.text


@pytest.mark.slow
@needs_broker
def test_a_kill_leaves_the_last_will_and_a_late_comer_gets_all_states(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom har.config import MqttConfig\n"
        "from har.live.homeassistant import HomeAssistant\nfrom har.live.mqtt import Broker\n"
        "config = MqttConfig('127.0.0.1', int(sys.argv[1]))\n"
        "HomeAssistant(Broker(config), config, ['hall'], ['hit'], 'm')\ntime.sleep(60)\n"
    )
    with Mosquitto(tmp_path) as server, Listener(server.port) as heard:
        run = subprocess.Popen([sys.executable, "-c", script, str(server.port)])
        heard.wait(lambda: heard.texts("har/status") == ["online"])
        run.kill()
        run.wait()
        heard.wait(lambda: heard.texts("har/status") == ["online", "offline"])
        with Listener(server.port) as late:
            late.wait(lambda: len(late.messages) == 4)
            assert all(message.retain for message in late.messages)
            assert late.last()["har/hall/label/hit"] == b"OFF"


@needs_broker
def test_a_wrong_password_is_said_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path, "right") as server, Listener(server.port, "right") as heard:
        broker, _ = _open(server.port, username="har", password=HIDDEN)
        heard.wait(lambda: "refuses the connection" in caplog.text)
        broker.close()
    assert "check username and password" in caplog.text
    assert HIDDEN not in caplog.text


class Notes(Broker):
    """Notes what it is told, and sends nothing: there is no connection in it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def keep(self, topic: str, payload: str) -> None:
        self.told.append((topic, payload))


def test_counts_are_sent_now_and_then_and_states_at_once() -> None:
    now_s, notes = [100.0], Notes()
    home = HomeAssistant(notes, MqttConfig("b"), ["hall"], ["hit"], "m", lambda: now_s[0])
    notes.told.clear()
    for state, wait_s in (("live", 1), ("live", 28), ("live", 1), ("lost", 0.5), ("lost", 1)):
        home.on_state(CameraState("hall", state, BEGAN, n_frames=7, fps=25.04999))  # type: ignore[arg-type]
        now_s[0] += wait_s
    assert [topic for topic, _ in notes.told] == [
        "har/hall/state",
        "har/hall/available",
        "har/hall/state",
        "har/hall/available",
    ]
    home.on_state(CameraState("hall", "lost", BEGAN, note="no answer"))
    assert json.loads(notes.told[-1][1])["note"] == "no answer"
    assert json.loads(notes.told[0][1])["fps"] == 25.05


def test_a_label_is_on_as_long_as_one_of_its_events_is() -> None:
    notes = Notes()
    home = HomeAssistant(notes, MqttConfig("b"), ["hall"], list(LABELS), "m")
    for label, onset_s, is_open in (
        ("active", 1.0, True),
        ("active", 5.0, True),
        ("active", 1.0, False),
        ("Hits others", 2.0, False),
        ("active", 5.0, False),
    ):
        home.on_event(_event(label, is_open, onset_s))
    walk = [(topic[-11:], text) for topic, text in notes.told if "/label/" in topic][4 - 2 :]
    assert walk == [
        ("abel/active", "ON"),
        ("abel/active", "ON"),
        ("abel/active", "ON"),
        ("hits_others", "OFF"),
        ("abel/active", "OFF"),
    ]


def _describe() -> dict[str, dict[str, object]]:
    config = MqttConfig("broker", topic="house/har", picture=True)
    return describe_device("hall", "hall", LABELS, config, "fight")


def test_a_device_has_what_home_assistant_requires() -> None:
    """Fields and platforms as on the pages of Home Assistant's MQTT integration."""
    payload = _describe()
    assert payload.keys() == {"device", "origin", "components"}
    assert payload["device"]["identifiers"] == ["house_har_hall"]
    required = {
        "binary_sensor": {"state_topic"},
        "sensor": {"state_topic"},
        "event": {"state_topic", "event_types"},
        "image": {"image_topic"},
    }
    unique = set()
    for entity in payload["components"].values():
        assert isinstance(entity, dict)
        assert required[entity["platform"]] <= entity.keys()
        assert {"topic": "house/har/status"} in entity["availability"]
        unique.add(entity["unique_id"])
    assert len(unique) == len(payload["components"]) == 10
    state = payload["components"]["state"]
    assert isinstance(state, dict)
    assert state["options"] == ["starting", "live", "frozen", "lost", "ended"]
    assert payload["components"]["label_hits_others"]["name"] == "Hits others"  # type: ignore[index]


VALIDATE = """
import asyncio, importlib, json, sys, tempfile
from homeassistant.components.mqtt.schemas import DEVICE_DISCOVERY_SCHEMA
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame

async def main():
    home = HomeAssistant(tempfile.mkdtemp())  # templates are checked inside one
    frame.async_setup(home)
    payload = json.load(sys.stdin)
    DEVICE_DISCOVERY_SCHEMA(payload)
    shared = {name: payload[name] for name in ("device", "origin")}
    for name, entity in payload["components"].items():
        kind = importlib.import_module("homeassistant.components.mqtt." + entity.pop("platform"))
        unknown = {**shared, **entity}.keys() - kind.DISCOVERY_SCHEMA({**shared, **entity}).keys()
        assert not unknown, (name, unknown)
        print(name)

asyncio.run(main())
"""


@pytest.mark.skipif(
    "HAR_HOMEASSISTANT_PYTHON" not in os.environ, reason="needs a Python with homeassistant"
)
def test_home_assistants_own_schema_takes_the_device() -> None:
    done = subprocess.run(
        [os.environ["HAR_HOMEASSISTANT_PYTHON"], "-c", VALIDATE],
        input=json.dumps(_describe()),
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topic = 'a/#'", "topic must be letters"),
        ("discovery = '+'", "discovery must be empty, or letters"),
        ("password = 's3cr3t'", "username must be given"),
        ("ca_file = 'x'", "set tls = true"),
        ("port = 70000", "port must be from 0 to 65535"),
        ("picture = true\n[clips]\non = false", "picture of [mqtt] must be false"),
    ],
)
def test_wrong_settings_of_a_broker_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(f"[mqtt]\n{text}\n")
    with pytest.raises(har.HarError) as caught:
        load_config(path, WatchSettings())
    assert said in str(caught.value)
    assert HIDDEN not in str(caught.value)
