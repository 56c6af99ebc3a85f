"""Corpora shared by tests. Each is made once per session."""

import pytest
from support import FIGURES, SAMPLE_INPUTS, Corpus, generate


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Corpus:
    """200,000 events grounded in the sample inputs."""
    out = tmp_path_factory.mktemp("sample") / "corpus"
    return generate(out, "--events", "200k", *SAMPLE_INPUTS)


@pytest.fixture(scope="session")
def lines(tmp_path_factory) -> Corpus:
    """20,000 events grounded in the sample inputs, as JSON lines."""
    out = tmp_path_factory.mktemp("lines") / "corpus"
    return generate(out, "--format", "ndjson", "--events", "20k", *SAMPLE_INPUTS)


@pytest.fixture(scope="session")
def default_corpus(tmp_path_factory) -> Corpus:
    """100,000 events of the synthetic world."""
    out = tmp_path_factory.mktemp("default") / "corpus"
    return generate(out, "--events", "100k")


@pytest.fixture(scope="session")
def db(corpus):
    """DuckDB over `corpus`: the view `events`."""
    return corpus.connect()


@pytest.fixture(scope="session")
def spark():
    """Spark in local mode, in UTC."""
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .appName("fusiongen")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session", params=["sample", "default"])
def table(request):
    """DuckDB with all events of each corpus in memory, as the table `e`, and its indicators as `iocs`."""
    made = request.getfixturevalue("corpus" if request.param == "sample" else "default_corpus")
    connection = made.connect()
    connection.execute("CREATE TABLE e AS SELECT * FROM events")
    connection.execute(f"CREATE TABLE iocs AS FROM '{made.path}/truth/iocs/**/*.parquet'")
    return connection


# Values that tests of all processes have measured.
MEASURED = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    report.user_properties += [("measured", text) for text in FIGURES]
    FIGURES.clear()
    return report


def pytest_runtest_logreport(report):
    MEASURED.extend(text for name, text in report.user_properties if name == "measured")


def pytest_terminal_summary(terminalreporter):
    if MEASURED:
        terminalreporter.section("measured")
        for text in MEASURED:
            terminalreporter.line(text)


# Known gaps, each with its reason. Strict: a gap that is closed must be removed from the list.
GAPS = {}


def pytest_collection_modifyitems(items):
    for item in items:
        for name, reason in GAPS.items():
            if name in item.name:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
