"""The index templates fit the schemas and their values, and the recipe of docs/recipes.md loads a corpus.

    UPDATE_DOCS=1 pytest test_elasticsearch.py      writes the templates anew

A server of this test's own stands in for Elasticsearch: it takes what the recipe sends and
checks it against the rules of the bulk API and against the template's types.
"""

import fnmatch
import ipaddress
import json
import os
import re
import shutil
import subprocess
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import ROOT, binary, blocks, generate

TEMPLATE = ROOT / "docs" / "elasticsearch" / "index-template.json"
ECS_TEMPLATE = ROOT / "docs" / "elasticsearch" / "ecs-index-template.json"

#: Addresses in every event; other fields may hold `-` or `?` for none.
ADDRESSES = {"source.ip", "destination.ip", "host.ip", "dns.resolved_ip", "related.ip"}
#: Fields for full-text search, as in ECS.
PHRASES = {"message"}
PARTS = {
    "process.command_line",
    "process.parent.command_line",
    "url.full",
    "winlog.event_data.CommandLine",
    "winlog.event_data.ParentCommandLine",
    "winlog.event_data.ScriptBlockText",
    "winlog.event_data.TaskContent",
    "winlog.event_data.TaskContentNew",
}
#: JSON keeps a record's own spelling if two spellings differ only in case; the schema has one of them.
SPELLINGS = {
    "winlog.event_data.ProcessId": "ProcessID",
    "winlog.event_data.SourceProcessGUID": "SourceProcessGuid",
    "winlog.event_data.TargetProcessGUID": "TargetProcessGuid",
}
#: As many characters as always fit into a Lucene term of 32,766 bytes; a longer keyword
#: would have its document refused.
KEYWORD = {"type": "keyword", "ignore_above": 8191}


def mapping(path: str, kind: pa.DataType) -> dict:
    """The mapping of a leaf."""
    if pa.types.is_list(kind):
        kind = kind.value_type  # a list is many values of one field
    if pa.types.is_timestamp(kind):
        return {"type": "date_nanos"}  # `date` drops microseconds
    if pa.types.is_int64(kind):
        return {"type": "long"}
    if pa.types.is_boolean(kind):
        return {"type": "boolean"}
    assert pa.types.is_string(kind), f"no mapping for {kind} of {path}"
    if path in ADDRESSES:
        return {"type": "ip"}
    if path in PHRASES:
        return {"type": "match_only_text"}
    if path in PARTS:
        return {"type": "wildcard"}
    return KEYWORD


def properties(fields, prefix="") -> dict:
    """The mapping of a schema's fields, and of the other spellings."""
    found = {}
    for field in fields:
        path = f"{prefix}{field.name}"
        if pa.types.is_struct(field.type):
            found[field.name] = {"properties": properties(field.type, f"{path}.")}
            continue
        if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
            found[field.name] = {"properties": properties(field.type.value_type, f"{path}.")}
            continue
        found[field.name] = mapping(path, field.type)
        if path in SPELLINGS:
            found[SPELLINGS[path]] = mapping(path, field.type)
    return found


def template(schema: pa.Schema, name: str, pattern: str) -> dict:
    return {
        "index_patterns": [pattern],
        "data_stream": {},
        # Above the templates that Elastic ships (100 to 200).
        "priority": 500,
        "template": {
            "mappings": {
                # Fields that a pipeline adds: strings are keywords and are never detected as dates.
                "date_detection": False,
                "dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": KEYWORD}}],
                "properties": properties(schema),
            },
        },
        "_meta": {"description": f"Events of fusiongen, schema {name}"},
    }


def page(tree: dict, indent="") -> str:
    """JSON with a line for each leaf."""
    lines = []
    for key, value in tree.items():
        nested = isinstance(value, dict) and any(isinstance(child, dict) for child in value.values())
        text = page(value, indent + "  ") if nested else json.dumps(value)
        lines.append(f"{indent}  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


@pytest.fixture(scope="module")
def templates(tmp_path_factory) -> dict[Path, dict]:
    """The template of each schema, by its file."""
    made = {}
    for name, pattern, file in (("fusionai", "fusionai-*", TEMPLATE), ("ecs", "fusiongen-ecs-*", ECS_TEMPLATE)):
        corpus = generate(tmp_path_factory.mktemp(name) / "corpus", "--events", "1k", "--schema", name)
        made[file] = template(pq.read_schema(corpus.files[0]), name, pattern)
    return made


def test_templates_are_the_schemas(templates):
    for file, wanted in templates.items():
        text = page(wanted) + "\n"
        assert json.loads(text) == wanted
        if os.environ.get("UPDATE_DOCS"):
            file.write_text(text)
        assert file.read_text() == text, f"{file} is not the schema; run UPDATE_DOCS=1 pytest {__file__}"


def test_exceptions_are_fields(templates):
    """A renamed field must not silently fall back to a keyword."""
    leaves = set()
    for made in templates.values():
        leaves |= dict(types(made["template"]["mappings"])).keys()
    assert ADDRESSES | PHRASES | PARTS | SPELLINGS.keys() <= leaves


def types(node: dict, prefix=""):
    """(path, mapping) of every leaf of a mapping."""
    for name, child in node["properties"].items():
        if "properties" in child:
            yield from types(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def problem(kind: dict, value) -> str | None:
    """Why Elasticsearch would refuse a value, or leave it out of the index."""
    match kind["type"]:
        case "date_nanos":
            # strict_date_optional_time_nanos, between the epoch and 2262.
            if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z", value):
                return "is no time"
            low, high = (datetime(year, 1, 1, tzinfo=timezone.utc) for year in (1970, 2262))
            return None if low <= datetime.fromisoformat(value) < high else "is out of range"
        case "ip":
            try:
                ipaddress.ip_address(value)
            except ValueError:
                return "is no address"
        case "long":
            if type(value) is not int or not -(2**63) <= value < 2**63:
                return "is no long"
        case "boolean":
            if type(value) is not bool:
                return "is no boolean"
        case "keyword" | "wildcard" | "match_only_text":
            if not isinstance(value, str):
                return "is no text"
            if len(value.encode("utf-16-le")) // 2 > kind.get("ignore_above", 2**31):
                return "is too long to be indexed"
        case other:
            return f"has a type that this test doesn't know: {other}"
    return None


class Check:
    """Documents against a mapping."""

    def __init__(self, mappings: dict):
        self.leaves = dict(types(mappings))
        self.objects = {path[:i] for path in self.leaves for i, letter in enumerate(path) if letter == "."}
        self.seen = set()

    def document(self, node: dict, prefix=""):
        for name, value in node.items():
            path = f"{prefix}{name}"
            objects = value if isinstance(value, list) else [value]
            if objects and isinstance(objects[0], dict):
                assert path in self.objects, f"{path} is an object"
                for item in objects:
                    self.document(item, f"{path}.")
                continue
            assert path in self.leaves, f"{path} has no mapping"
            for item in value if isinstance(value, list) else [value]:
                wrong = problem(self.leaves[path], item)
                assert wrong is None, f"{path}: {item!r} {wrong}"
            self.seen.add(path)


def test_helper_problem():
    assert problem({"type": "ip"}, "::ffff:10.0.0.1") is None
    assert problem({"type": "ip"}, "-")
    assert problem({"type": "long"}, 2**63)
    assert problem({"type": "long"}, True)
    assert problem({"type": "long"}, "1")
    assert problem({"type": "boolean"}, "true")
    assert problem({"type": "date_nanos"}, "2024-08-12T10:21:44.123456Z") is None
    assert problem({"type": "date_nanos"}, "2024-08-12 10:21:44.123456")
    assert problem({"type": "keyword", "ignore_above": 3}, "abcd")
    with pytest.raises(AssertionError, match="has no mapping"):
        Check({"properties": {"a": {"type": "long"}}}).document({"b": 1})


def test_every_value_is_of_its_type(lines):
    check = Check(json.loads(TEMPLATE.read_text())["template"]["mappings"])
    rows = 0
    for file in sorted(lines.events.rglob("*.ndjson")):
        for line in file.read_text().splitlines():
            check.document(json.loads(line))
            rows += 1
    assert rows == 20_000
    others = {f"{path.rsplit('.', 1)[0]}.{name}" for path, name in SPELLINGS.items()}
    assert others <= check.seen, "every spelling is written"
    kinds = {check.leaves[path]["type"] for path in check.seen}
    assert kinds == {kind["type"] for kind in check.leaves.values()}, "every type has values"


class Server(ThreadingHTTPServer):
    """Takes an index template and bulk requests, as Elasticsearch does."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.templates, self.documents, self.requests, self.problems = {}, [], 0, []

    def answer(self, method: str, path: str, kind: str, body: bytes) -> dict:
        if method == "PUT" and path.startswith("/_index_template/"):
            assert kind == "application/json", kind
            self.templates[path.rsplit("/", 1)[1]] = json.loads(body)
            return {"acknowledged": True}
        index = re.fullmatch(r"/([a-z0-9.-]+)/_bulk", path)
        assert method == "POST" and index, f"{method} {path}"
        patterns = [p for made in self.templates.values() for p in made["index_patterns"]]
        assert any(fnmatch.fnmatch(index[1], pattern) for pattern in patterns), f"{index[1]} has no template"
        assert kind == "application/x-ndjson", kind
        assert len(body) < 100 << 20, "http.max_content_length is 100 MB"
        assert body.endswith(b"\n"), "the last line has no end"
        rows = body[:-1].split(b"\n")
        assert len(rows) % 2 == 0, f"{len(rows)} lines"
        assert all(json.loads(row) == {"create": {}} for row in rows[::2]), "a data stream takes `create` only"
        self.documents += [json.loads(row) for row in rows[1::2]]
        self.requests += 1
        return {"errors": False}


class Handler(BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path, kind = self.path.split("?")[0], self.headers["Content-Type"]
        try:
            status, answer = 200, self.server.answer(self.command, path, kind, body)
        except (AssertionError, ValueError) as error:
            status, answer = 400, {"error": str(error)}
            self.server.problems.append(str(error))
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = Server()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_recipe_loads_a_corpus(server, tmp_path):
    for tool in ("curl", "split"):
        if shutil.which(tool) is None:
            pytest.skip(f"the recipe needs {tool}, which is not installed")
    page = blocks((ROOT / "docs" / "recipes.md").read_text())
    (recipe,) = [block.code for block in page if block.heading == "Elasticsearch"]
    for written, here in {
        "http://localhost:9200": f"http://127.0.0.1:{server.server_port}",
        "cargo run --release --": str(binary()),
        "--events 1M": "--events 30k --no-progress",
        "out/lines": str(tmp_path / "lines"),
    }.items():
        assert written in recipe
        recipe = recipe.replace(written, here)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=ROOT,
        env=os.environ | {"no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert server.problems == []
    assert done.returncode == 0, done.stderr
    assert f'{server.requests} {{"errors": false}}' in done.stdout
    assert server.templates == {"fusionai": json.loads(TEMPLATE.read_text())}
    assert server.requests > 1, "the corpus is sent in pieces"
    sequences = {document["event"]["sequence"] for document in server.documents}
    assert len(server.documents) == len(sequences) == 30_000
    check = Check(server.templates["fusionai"]["template"]["mappings"])
    for document in server.documents:
        check.document(document)
