"""The recipes of docs/streams.md, run as they are written against servers on this machine."""

import json
import os
import re
import shutil
import socketserver
import subprocess
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars
import pyarrow as pa
import pytest
from support import ROOT, binary
from test_elasticsearch import ECS_TEMPLATE, Check, Server

PAGE = (ROOT / "docs" / "streams.md").read_text()


def recipe(heading: str, replaced: dict[str, str]) -> str:
    """The first sh block below a heading, with other addresses and sizes."""
    text = re.search(rf"^{heading}\n.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
    for written, here in {"fusiongen generate": f"{binary()} generate", "fusiongen replay": f"{binary()} replay"}.items():
        text = re.sub(rf"^{written}", here, text, flags=re.MULTILINE)
    for written, here in replaced.items():
        assert written in text, written
        text = text.replace(written, here)
    return text


def run(script: str, cwd=ROOT) -> subprocess.CompletedProcess:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=cwd,
        env=os.environ | {"no_proxy": "127.0.0.1,localhost"},
    )  # fmt: skip
    return done


def needs(*tools: str):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"the recipe needs {tool}, which is not installed")


def served(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_first_recipes(tmp_path):
    script = recipe("# Streams", {"--events 10M": "--events 30k", "--events 1M": "--events 20k", "--duration 10m": "--duration 1s"})
    # `head` closes the pipe before the program is done, which pipefail must not see as a failure.
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["@timestamp"].startswith("2024-08-12T00:")
    events = polars.read_ndjson(tmp_path / "events.ndjson.zst", infer_schema_length=None)
    assert events.height == 30_000
    assert events["@timestamp"].is_sorted()
    with pa.ipc.open_stream(tmp_path / "events.arrows") as reader:
        table = reader.read_all()
    assert table.num_rows == 20_000
    times = table["@timestamp"].cast(pa.int64()).to_numpy()
    assert (times[1:] >= times[:-1]).all()
    live = [json.loads(line) for line in (tmp_path / "live.ndjson").read_text().splitlines()]
    now = datetime.now().astimezone()
    assert live and all(datetime.fromisoformat(event["@timestamp"]) <= now for event in live)


@pytest.fixture
def elasticsearch():
    yield from served(Server())


def test_elasticsearch(elasticsearch):
    needs("curl", "awk", "split")
    done = run(recipe("## Elasticsearch", {"http://localhost:9200": f"http://127.0.0.1:{elasticsearch.server_port}", "100k": "20k"}))
    assert elasticsearch.problems == []
    assert done.returncode == 0, done.stderr
    assert elasticsearch.templates == {"fusiongen-ecs": json.loads(ECS_TEMPLATE.read_text())}
    times = [document["@timestamp"] for document in elasticsearch.documents]
    assert len(times) == 20_000 and times == sorted(times)
    check = Check(elasticsearch.templates["fusiongen-ecs"]["template"]["mappings"])
    for document in elasticsearch.documents:
        check.document(document)


class Collector(ThreadingHTTPServer):
    """Takes events as Splunk's HTTP Event Collector does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), CollectorHandler)
        self.events, self.problems = [], []


class CollectorHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            assert self.path == "/services/collector/event", self.path
            assert re.fullmatch(r"Splunk [0-9-]{36}", self.headers["Authorization"])
            decoder, at = json.JSONDecoder(), 0
            while at < len(body):
                event, at = decoder.raw_decode(body, at)
                assert set(event) == {"time", "host", "source", "sourcetype", "event"}, set(event)
                self.server.events.append(event)
                at += len(body[at:]) - len(body[at:].lstrip())
            status, text = 200, b'{"text":"Success","code":0}'
        except (AssertionError, ValueError) as error:
            self.server.problems.append(str(error))
            status, text = 400, b'{"text":"Invalid data format","code":6}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    yield from served(Collector())


def test_splunk(collector):
    needs("curl", "jq", "split")
    before = time.time()
    done = run(recipe("## Splunk", {"http://localhost:8088": f"http://127.0.0.1:{collector.server_port}", "--duration 10s": "--duration 2s"}))
    assert collector.problems == []
    assert done.returncode == 0, done.stderr
    assert len(collector.events) > 50
    for event in collector.events:
        assert before <= event["time"] <= time.time()
        own = datetime.fromisoformat(event["event"]["@timestamp"]).timestamp()
        assert abs(own - event["time"]) < 1e-3


def test_kafka():
    """librdkafka has a broker of its own for tests, which listens on a port of this machine."""
    needs("kcat")
    kafka = pytest.importorskip("confluent_kafka", reason="confluent_kafka is not installed: kcat has no broker to talk to")
    broker = kafka.Producer({"test.mock.num.brokers": 1})
    address = next(iter(broker.list_topics(timeout=10).brokers.values()))
    address = f"{address.host}:{address.port}"
    done = run(recipe("## Kafka", {"localhost:9092": address, "100k": "5k"}))
    assert done.returncode == 0, done.stderr
    consumer = kafka.Consumer({"bootstrap.servers": address, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe(["events"])
    sequences = set()
    until = time.monotonic() + 60
    while len(sequences) < 5_000 and time.monotonic() < until:
        for message in consumer.consume(1_000, timeout=1.0):
            if message.error() is None:
                sequences.add(json.loads(message.value())["event"]["sequence"])
    consumer.close()
    assert len(sequences) == 5_000


class Lines(socketserver.ThreadingTCPServer):
    """Takes lines over TCP, as a syslog server does."""

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), LinesHandler)
        self.lines = []


class LinesHandler(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.lines += self.rfile.read().decode().splitlines()


@pytest.fixture
def syslog():
    yield from served(Lines())


def test_syslog(syslog):
    needs("jq")
    done = run(recipe("## Syslog", {"localhost/514": f"127.0.0.1/{syslog.server_address[1]}", "100k": "30k"}))
    assert done.returncode == 0, done.stderr
    syslog.shutdown()
    syslog.server_close()  # waits for the handler
    assert len(syslog.lines) > 100
    form = re.compile(r"<(\d{1,3})>1 (\S+Z) ([\w.-]+) ([\w./-]+) (-|\d+) - - (.+)")
    for line in syslog.lines:
        priority, when, *_ = form.fullmatch(line).groups()
        assert int(priority) < 192
        datetime.fromisoformat(when)
