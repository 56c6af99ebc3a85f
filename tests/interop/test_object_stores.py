"""Corpora in an object store equal those in a directory, whatever happens meanwhile."""

import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from loopback import CUT, DENIED, ERROR, HALF, LOST, PASS, Bucket, Proxy, environment
from support import ROOT, binary, fusiongen

SMALL = ["--events", "6k", "--days", "2", "--assets", "60", "--users", "60", "--threads", "2"]
#: One file of several parts: 8 MiB is a part.
LONG = ["--format", "ndjson", "--compression", "none", "--partition-by", "date", "--days", "1"]
LONG = ["--events", "24k", "--assets", "60", "--users", "60", "--threads", "2", *LONG]

server = pytest.importorskip("moto.server", reason="moto is not installed: no S3 server to test against")
counter = itertools.count()


@pytest.fixture(scope="module")
def url():
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(url) -> Bucket:
    return Bucket(url, f"corpora-{next(counter)}")


@pytest.fixture
def proxy(url):
    running = Proxy(url)
    yield running
    running.close()


def files(root) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def made(tmp_path_factory, arguments) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("local") / "corpus"
    done = fusiongen("generate", "--out", out, *arguments)
    assert done.returncode == 0, done.stderr
    return files(out)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict[str, bytes]:
    return made(tmp_path_factory, SMALL)


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> dict[str, bytes]:
    return made(tmp_path_factory, LONG)


def run(bucket, *arguments, code=0, url=None):
    done = fusiongen(*arguments, env=environment(url or bucket.url))
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def generate(bucket, prefix, *arguments, **more):
    return run(bucket, "generate", "--out", f"s3://{bucket.name}/{prefix}", *arguments, **more)


def test_the_objects_are_the_files_of_a_directory(bucket, small, tmp_path):
    # A prefix is taken literally.
    for prefix in ("corpus", "a%20b/c d"):
        done = generate(bucket, prefix, *SMALL)
        assert f"in s3://{bucket.name}/{prefix}" in done.stdout
        assert bucket.contents(prefix) == small
    assert bucket.unfinished() == []
    again = generate(bucket, "corpus", *SMALL)
    assert "already holds this corpus" in again.stdout
    place = f"s3://{bucket.name}/corpus"
    intact = run(bucket, "check", "--integrity", place)
    assert "all as written" in intact.stdout
    local = tmp_path / "local"
    for path, contents in small.items():
        (local / path).parent.mkdir(parents=True, exist_ok=True)
        (local / path).write_bytes(contents)
    audited = run(bucket, "check", "--json", place)
    assert audited.stdout == fusiongen("check", "--json", local).stdout
    pages = []
    for out in (place, str(local)):
        run(bucket, "report", out, "-o", tmp_path / "page.html")
        # The page has the corpus's place in the code to paste.
        pages.append((tmp_path / "page.html").read_text().replace(out.replace("/", "&#x2f;"), "PLACE"))
    assert pages[0] == pages[1]
    bucket.put("corpus/events/more.parquet", b"more")
    found = run(bucket, "check", "--integrity", place, code=1)
    assert "events/more.parquet" in found.stdout


def test_other_libraries_read_the_objects(bucket):
    import polars
    import pyarrow.dataset
    import pyarrow.fs

    generate(bucket, "corpus", *SMALL)
    host = bucket.url.removeprefix("http://")
    system = pyarrow.fs.S3FileSystem(
        access_key="test", secret_key="test", endpoint_override=host, scheme="http", region="us-east-1"
    )
    events = pyarrow.dataset.dataset(
        f"{bucket.name}/corpus/events", filesystem=system, format="parquet", partitioning="hive"
    )
    assert events.count_rows() == 6_000
    options = {
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "aws_endpoint_url": bucket.url,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    scan = polars.scan_parquet(
        f"s3://{bucket.name}/corpus/events/**/*.parquet", storage_options=options, hive_partitioning=True
    )
    assert scan.select(polars.len()).collect().item() == 6_000


@pytest.mark.parametrize(
    ("out", "problem"),
    [
        ("s4://bucket/corpus", "'s4' is no object store"),
        ("https://bucket.s3.amazonaws.com/corpus", "'https' is no object store"),
        ("s3:/bucket/corpus", "two slashes"),
        ("s3://", "no valid name"),
        ("s3://bucket//corpus", "empty"),
    ],
)
def test_other_urls_are_refused(out, problem, tmp_path):
    for command in ("generate", "finish", "check", "report"):
        arguments = [command, "--out", out] if command == "generate" else [command, out]
        done = subprocess.run([binary(), *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 2 and problem in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_url_is_a_directory(small, tmp_path):
    done = fusiongen("generate", "--out", f"file://{tmp_path}/a%20b", *SMALL)
    assert done.returncode == 0, done.stderr
    assert f"in {tmp_path}/a b, seed" in done.stdout
    assert files(tmp_path / "a b") == small


def test_refusals_of_a_store_say_what_to_do(bucket, proxy):
    missing = run(bucket, "generate", "--out", "s3://there-is-none/corpus", *SMALL, code=3)
    assert "the bucket 'there-is-none' does not exist" in missing.stderr
    proxy.rule = lambda method, path: DENIED
    denied = generate(bucket, "corpus", *SMALL, code=3, url=proxy.url)
    assert "denies access" in denied.stderr and "AWS_ACCESS_KEY_ID" in denied.stderr
    http = fusiongen(
        "generate", "--out", f"s3://{bucket.name}/corpus", *SMALL, env=bucket.environment | {"AWS_ALLOW_HTTP": "false"}
    )
    assert http.returncode == 3 and "AWS_ALLOW_HTTP=true" in http.stderr, http.stderr
    half = fusiongen(
        "generate", "--out", f"s3://{bucket.name}/corpus", *SMALL, env={"AWS_ACCESS_KEY_ID": "test"}
    )
    assert half.returncode == 2 and "AWS_SECRET_ACCESS_KEY" in half.stderr, half.stderr
    for command in ("check", "finish", "report"):
        nothing = run(bucket, command, f"s3://{bucket.name}/corpus", code=2)
        assert "there is no such file" in nothing.stderr
    assert bucket.keys() == {}


def test_parts_are_finished(bucket, small):
    out = f"s3://{bucket.name}/corpus"
    generate(bucket, "corpus", *SMALL, "--part", "1/2")
    missing = run(bucket, "finish", out, code=2)
    assert "are missing or have changed" in missing.stderr
    # Two writers of one part, at one time.
    writers = [
        subprocess.Popen(
            [binary(), "generate", "--out", out, *SMALL, "--part", "2/2"],
            env=bucket.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for writer in writers:
        _, stderr = writer.communicate(timeout=120)
        assert writer.returncode == 0, stderr
    run(bucket, "finish", out)
    assert bucket.contents("corpus") == small
    # A late writer leaves no journal.
    generate(bucket, "corpus", *SMALL, "--part", "2/2")
    assert bucket.contents("corpus") == small


def test_runs_that_begin_at_one_time_make_one_corpus(bucket, small):
    command = [binary(), "generate", "--out", f"s3://{bucket.name}/corpus", *SMALL]
    seeds = ["42", "42", "43"]
    writers = [
        subprocess.Popen([*command, "--seed", seed], env=bucket.environment, stderr=subprocess.PIPE, text=True)
        for seed in seeds
    ]
    ended = [writer.communicate(timeout=120)[1] for writer in writers]
    codes = [writer.returncode for writer in writers]
    if codes == [2, 2, 0]:
        assert all("another corpus" in ended[i] for i in (0, 1))
    else:
        assert codes == [0, 0, 2] and "another corpus" in ended[2], (codes, ended)
        assert bucket.contents("corpus") == small


def test_only_what_the_manifest_names_is_overwritten(bucket, small):
    other = [*SMALL, "--seed", "7"]
    generate(bucket, "corpus", *other)
    bucket.put("corpus2/notes.txt", b"mine")
    refused = generate(bucket, "corpus", *SMALL, code=2)
    assert "another corpus" in refused.stderr and "seed is 7 there and 42 here" in refused.stderr
    # A foreign object leaves everything as it is, below a name of ours and beside them.
    for foreign in ("corpus/events/notes.txt", "corpus/truth/date=2024-08-12/part-00000.parquet", "corpus/notes.txt"):
        bucket.put(foreign, b"mine")
        before = bucket.keys()
        refused = generate(bucket, "corpus", *SMALL, "--overwrite", code=2)
        assert "fusiongen did not write" in refused.stderr
        assert bucket.keys() == before
        bucket.delete(foreign)
    # Consoles create such markers of directories.
    bucket.put("corpus/", b"")
    bucket.put("corpus/events/", b"")
    generate(bucket, "corpus", *SMALL, "--overwrite")
    bucket.delete("corpus/")
    bucket.delete("corpus/events/")
    assert bucket.contents("corpus") == small
    assert bucket.get("corpus2/notes.txt") == b"mine"


def test_a_changed_object_is_written_again(bucket, small):
    generate(bucket, "corpus", *SMALL, "--part", "1/1")
    events = sorted(key for key in bucket.keys() if "/events/" in key)
    changed = bytearray(bucket.get(events[0]))
    changed[100] ^= 1
    bucket.put(events[0], bytes(changed))
    # The same contents under another tag are kept.
    first, second = bucket.get(events[1])[:-4], bucket.get(events[1])[-4:]
    upload = bucket.s3.create_multipart_upload(Bucket=bucket.name, Key=events[1])["UploadId"]
    part = bucket.s3.upload_part(
        Bucket=bucket.name, Key=events[1], UploadId=upload, PartNumber=1, Body=first + second
    )
    bucket.s3.complete_multipart_upload(
        Bucket=bucket.name,
        Key=events[1],
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    bucket.delete(events[2])
    done = generate(bucket, "corpus", *SMALL)
    kept, all_files = re.search(r"kept (\d+) of (\d+) files", done.stdout).groups()
    assert int(all_files) - int(kept) == 2, done.stdout
    assert bucket.contents("corpus") == small


def faulty(proxy, wrong):
    """Lets every third request that has a chance go wrong once."""
    lock, tried, number = threading.Lock(), set(), itertools.count()

    def rule(method, path):
        with lock:
            if (method, path) in tried:
                return PASS
            tried.add((method, path))
            return wrong if next(number) % 3 == 0 else PASS

    proxy.rule = rule
    return tried


@pytest.mark.parametrize("wrong", [ERROR, CUT, LOST, HALF])
def test_requests_that_fail_are_repeated(bucket, proxy, small, long, wrong):
    tried = faulty(proxy, wrong)
    generate(bucket, "small", *SMALL, url=proxy.url)
    generate(bucket, "long", *LONG, url=proxy.url)
    assert any(method == "PUT" and "partNumber=2" in path for method, path in tried)
    assert bucket.contents("small") == small
    assert bucket.contents("long") == long
    # Reading, too.
    faulty(proxy, wrong)
    for prefix in ("small", "long"):
        found = run(bucket, "check", "--integrity", f"s3://{bucket.name}/{prefix}", url=proxy.url)
        assert "all as written" in found.stdout
    run(bucket, "check", f"s3://{bucket.name}/small", url=proxy.url)


def test_the_lost_answer_of_the_last_request_of_an_upload_is_no_failure(bucket, proxy, long):
    """The store has completed it; the repeated request finds no upload."""
    lost = []

    def rule(method, path):
        if method == "POST" and "uploadId=" in path and path not in lost:
            lost.append(path)
            return LOST
        return PASS

    proxy.rule = rule
    generate(bucket, "long", *LONG, url=proxy.url)
    assert lost
    assert bucket.contents("long") == long
    assert bucket.unfinished() == []


def test_a_store_that_fails_for_good_is_an_error_and_leaves_nothing(bucket, proxy):
    def rule(method, path):
        return DENIED if "partNumber=2" in path else PASS

    proxy.rule = rule
    failed = generate(bucket, "long", *LONG, code=3, url=proxy.url)
    assert "cannot write" in failed.stderr and "events/" in failed.stderr
    assert bucket.unfinished() == []
    assert not any("/events/" in key for key in bucket.keys())


def held(proxy) -> tuple[threading.Event, threading.Event]:
    """Holds parts until they are released, so that a signal comes in the middle of an upload."""
    sent, release = threading.Event(), threading.Event()

    def rule(method, path):
        if "partNumber=2" in path:
            sent.set()
        if "partNumber=" in path:
            release.wait(60)
        return PASS

    proxy.rule = rule
    return sent, release


@pytest.mark.parametrize(("which", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_killed_upload_is_invisible_and_the_next_run_completes_the_corpus(bucket, proxy, long, which, code):
    for _ in range(2):
        sent, release = held(proxy)
        program = subprocess.Popen(
            [binary(), "generate", "--out", f"s3://{bucket.name}/long", *LONG],
            env=environment(proxy.url),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert sent.wait(60)
        program.send_signal(which)
        # It ends while its parts are held.
        _, stderr = program.communicate(timeout=50)
        assert program.returncode == code, stderr
        assert not any("/events/" in key for key in bucket.keys())
        if which == signal.SIGTERM:
            assert "files are complete" in stderr and "run the same command again" in stderr
            assert bucket.unfinished() == []
        release.set()
    proxy.rule = lambda method, path: PASS
    generate(bucket, "long", *LONG, url=proxy.url)
    assert bucket.contents("long") == long


def test_a_run_that_is_killed_between_files_is_resumed(bucket, proxy, small):
    enough = threading.Event()
    written = itertools.count()

    def rule(method, path):
        if method == "PUT" and "/journal/" in path and next(written) >= 5:
            enough.set()
            time.sleep(0.2)
        return PASS

    proxy.rule = rule
    program = subprocess.Popen(
        [binary(), "generate", "--out", f"s3://{bucket.name}/corpus", *SMALL],
        env=environment(proxy.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert enough.wait(60)
    program.kill()
    program.wait()
    there = bucket.contents("corpus")
    assert "_SUCCESS" not in there
    assert all(small[path] == contents for path, contents in there.items() if not path.startswith("journal/"))
    done = generate(bucket, "corpus", *SMALL)
    assert int(re.search(r"kept (\d+) of", done.stdout).group(1)) >= 4
    assert bucket.contents("corpus") == small


def test_an_old_success_is_replaced(bucket, small):
    """Of a corpus whose manifest was lost; and of one whose success is another's."""
    generate(bucket, "corpus", *SMALL)
    bucket.delete("corpus/manifest.json")
    generate(bucket, "corpus", *SMALL)
    assert bucket.contents("corpus") == small
    bucket.put("corpus/_SUCCESS", b"0" * 64 + b"\n")
    generate(bucket, "corpus", *SMALL)
    assert bucket.contents("corpus") == small


def test_a_store_without_conditional_requests_serves_as_well(bucket, small):
    environment = bucket.environment | {"AWS_CONDITIONAL_PUT": "disabled", "AWS_DISABLE_BULK_DELETE": "true"}
    done = fusiongen("generate", "--out", f"s3://{bucket.name}/corpus", *SMALL, env=environment)
    assert done.returncode == 0, done.stderr
    assert bucket.contents("corpus") == small


PAGE = (ROOT / "docs" / "object-stores.md").read_text()


def test_the_recipes_of_the_page_run(bucket, tmp_path):
    """Unchanged, except for the bucket and the number of events."""
    bucket.s3.create_bucket(Bucket="my-bucket")
    for language, code in re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if language == "sh" and "fusiongen generate" not in code:
            continue
        code = code.replace("1M", "5k")
        command = ["bash", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(
            command,
            env={"PATH": f"{binary().parent}:/usr/bin:/bin"} | bucket.environment,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
        )
        assert done.returncode == 0, (code, done.stdout, done.stderr)


def test_a_table_that_others_changed_is_left_alone(bucket):
    generate(bucket, "table", *SMALL, "--table", "delta")
    foreign = "table/events/_delta_log/00000000000000000001.json"
    bucket.put(foreign, b"{}\n")
    before = bucket.keys()
    for table in ("iceberg", "none"):
        done = fusiongen(
            "generate", "--out", f"s3://{bucket.name}/table", *SMALL, "--table", table, env=bucket.environment
        )
        assert done.returncode == 2, done.stderr
        assert foreign in done.stderr and "fusiongen did not write this" in done.stderr
        assert bucket.keys() == before
    bucket.delete(foreign)
    generate(bucket, "table", *SMALL, "--table", "iceberg")
    keys = bucket.keys("table/events/")
    assert not any("_delta_log" in key for key in keys)
    assert any(key.endswith("/metadata/v1.metadata.json") for key in keys)


def test_a_table_in_a_bucket_is_read_by_other_engines(bucket):
    """Delta by delta-rs, Iceberg by PyIceberg, through their own clients of S3."""
    deltalake = pytest.importorskip("deltalake")
    table = pytest.importorskip("pyiceberg.table")
    generate(bucket, "delta", *SMALL, "--table", "delta")
    options = {**bucket.environment, "AWS_S3_ALLOW_UNSAFE_RENAME": "true"}
    found = deltalake.DeltaTable(f"s3://{bucket.name}/delta/events", storage_options=options)
    manifest = json.loads(bucket.get("delta/manifest.json"))
    assert found.count() == manifest["events"]
    generate(bucket, "iceberg", *SMALL, "--table", "iceberg")
    properties = {
        "s3.endpoint": bucket.url,
        "s3.access-key-id": bucket.environment["AWS_ACCESS_KEY_ID"],
        "s3.secret-access-key": bucket.environment["AWS_SECRET_ACCESS_KEY"],
        "s3.region": bucket.environment["AWS_REGION"],
    }
    metadata = f"s3://{bucket.name}/iceberg/events/metadata/v1.metadata.json"
    scan = table.StaticTable.from_metadata(metadata, properties).scan(selected_fields=("category",))
    assert scan.to_arrow().num_rows == manifest["events"]
    done = fusiongen("check", f"s3://{bucket.name}/iceberg", env=bucket.environment)
    assert done.returncode == 0, done.stdout + done.stderr
