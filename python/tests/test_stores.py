"""Corpora at a URL equal those in a directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

import fusiongen
from conftest import SMALL

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
server = pytest.importorskip("moto.server", reason="moto is not installed: no S3 server to test against")


@pytest.fixture
def s3(monkeypatch):
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    url = "http://{}:{}".format(*running.get_host_and_port())
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="python")
    yield client
    running.stop()


def objects(s3, prefix: str) -> dict[str, str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="python", Prefix=prefix + "/")
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    contents = {key: s3.get_object(Bucket="python", Key=key)["Body"].read() for key in keys}
    return {key.removeprefix(prefix + "/"): sha256(contents[key]).hexdigest() for key in keys}


def test_a_url_is_a_place_like_a_directory(s3, tmp_path, files):
    fusiongen.generate(tmp_path / "local", progress=False, **SMALL)
    local = files(tmp_path / "local")
    out = "s3://python/corpus"
    assert fusiongen.generate(out, progress=False, **SMALL).finished
    assert objects(s3, "corpus") == local
    assert fusiongen.integrity(out).passed
    assert fusiongen.check(out, progress=False).events == SMALL["events"]
    pages = []
    for place in [out, str(tmp_path / "local")]:
        page = fusiongen.report(place, tmp_path / "page.html").read_text()
        escaped = place.replace("/", "&#x2f;")
        assert escaped in page
        pages.append(page.replace(escaped, "PLACE"))
    assert pages[0] == pages[1]

    plan = fusiongen.plan(**SMALL)
    for shard in plan.shards:
        plan.write_shard(shard, "s3://python/shards")
    assert fusiongen.finish("s3://python/shards").finished
    assert objects(s3, "shards") == local


SPARK = """
import sys
from hashlib import sha256
import pyspark
import fusiongen
from fusiongen import spark as on_spark

session = pyspark.sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
assert on_spark.generate(session, "s3://python/spark", **eval(sys.argv[1]), task_rows="4k").finished
session.stop()
"""


def test_tasks_of_spark_write_to_a_store(s3, tmp_path, files):
    pytest.importorskip("pyspark")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("SKIPPED: Spark needs Java, which is not here")
    fusiongen.generate(tmp_path / "local", progress=False, **SMALL)
    # A process of its own, whose workers have the credentials of its environment.
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", SPARK, repr(SMALL)],
        env=environment, capture_output=True, text=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert objects(s3, "spark") == files(tmp_path / "local")


def test_a_url_that_is_no_url_is_an_error(s3):
    with pytest.raises(fusiongen.Error, match="two slashes"):
        fusiongen.generate(Path("s3://python/corpus"), progress=False, **SMALL)
    with pytest.raises(fusiongen.Error, match="no object store") as caught:
        fusiongen.integrity("s4://python/corpus")
    assert "s3://BUCKET/PREFIX" in caught.value.remedy
    with pytest.raises(fusiongen.Error, match="the bucket 'nothing-here' does not exist") as caught:
        fusiongen.generate("s3://nothing-here/corpus", progress=False, **SMALL)
    assert "create it" in caught.value.remedy
