"""Settings are those of the command line, by name, type and error."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import subprocess
import typing
from datetime import date, datetime
from pathlib import Path

import pytest

import fusiongen
from conftest import COMMAND, ROOT, SAMPLES
from fusiongen import _native


def config(**settings):
    settings.setdefault("events", 1000)
    return json.loads(fusiongen.plan(**settings).to_json())["config"]


def test_no_setting_of_the_command_line_is_missing_and_none_is_extra():
    run = lambda *arguments: subprocess.run(
        [COMMAND, *arguments], check=True, capture_output=True, text=True
    ).stdout
    help = run("generate", "--help")
    flags = {flag.replace("-", "_") for flag in re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", help, re.M)}
    flags |= set(re.findall(r"^  ((?:noise|alert)_[a-z]+_(?:weights?|offset))\b", help, re.M))
    # How a command runs, which arguments of the functions and the logging module are for.
    only_commands = {"config", "help", "json", "no_progress", "quiet", "verbose"}
    parameters = set(inspect.signature(fusiongen.generate).parameters) - {"settings", "progress"}
    settings = {setting.name for setting in _native.settings()}
    assert settings | parameters == flags - only_commands
    assert not settings & parameters
    assert settings == set(fusiongen.Settings.__annotations__)
    for function in (fusiongen.stream, fusiongen.sample, fusiongen.truth):
        # An argument that is only taken by position may have a setting's name.
        arguments = inspect.signature(function).parameters.values()
        named = {it.name for it in arguments if it.kind is not it.POSITIONAL_ONLY}
        clash = settings & named
        assert not clash, clash
    typing.get_type_hints(fusiongen.Settings)


def test_defaults_are_the_command_lines(tmp_path):
    subprocess.run(
        [COMMAND, "generate", "--events", "1000", "--no-progress", "--out", tmp_path / "corpus"],
        check=True,
        capture_output=True,
    )
    plan = json.loads((tmp_path / "corpus" / "plan.json").read_text())
    assert config() == plan["config"]


def test_types_of_python_are_taken():
    found = config(
        events="1_000",
        seed=2**64 - 1,
        start=date(2025, 3, 1),
        days=3,
        attack_chain_ratio=0.1,
        noise_ratio="0.10",
        chain_density=0.00001,
        noise_seasonality=True,
        noise_tz_offset=5.5,
        noise_day_weight=3,
        noise_hourly_weights=[1] * 12 + [0.5] * 12,
        alert_hourly_weights=",".join(["2"] * 24),
        bloom_filter=["source.ip", "process.entity_id"],
        table="iceberg",
        labels="none",
        schema="ecs",
        partition_by="date",
        shard_rows="8Ki",
        assets=None,
    )
    assert found["seed"] == 2**64 - 1
    assert found["start"] == "2025-03-01"
    assert found["attack_chain_ratio"] == found["noise_ratio"] == "0.1"
    assert found["chain_density"] == "0.00001"
    assert found["noise_seasonality"] is True
    assert found["time_zone_offset"] == 19_800
    assert found["noise_weights"]["day"] == 3_000_000
    assert found["noise_hours"][11:13] == [1_000_000, 500_000]
    assert found["alert_hours"] == [2_000_000] * 24
    assert found["table"] == "iceberg"
    assert found["bloom_filter"] == ["process.entity_id", "source.ip"]
    assert found["shard_rows"] == found["row_group_rows"] == 8192
    assert found["assets"] is None
    assert config(strict=True, ad_users=str(SAMPLES / "ad_users.csv"))


def test_the_environment_is_not_read(monkeypatch):
    monkeypatch.setenv("SEED", "99")
    monkeypatch.setenv("NOISE_DAY_WEIGHT", "nonsense")
    assert config()["seed"] == 42


def test_a_configuration_file_is_keyword_arguments():
    tomllib = pytest.importorskip("tomllib")
    text = re.search(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    settings = tomllib.loads(text)
    # `out` is the other argument of `generate`.
    assert "out" in inspect.signature(fusiongen.generate).parameters
    del settings["out"]
    settings["events"] = "50k"
    assert config(**settings)["days"] == settings["days"]


@pytest.mark.parametrize(
    ("settings", "name", "remedy"),
    [
        ({"events": "many"}, "events", "10k"),
        ({"events": 0}, "events", "give 1"),
        ({"seed": -1}, "seed", "42"),
        ({"days": 2**32}, "days", "42"),
        ({"noise_ratio": float("nan")}, "noise_ratio", "0.15"),
        ({"noise_ratio": -0.5}, "noise_ratio", "0.15"),
        ({"labels": "some"}, "labels", "full; none"),
        ({"compression": "gzip"}, "compression", "zstd"),
        ({"start": "2024-13-01"}, "start", "2024-08-12"),
        ({"noise_tz_offset": 99}, "noise_tz_offset", "+05:30"),
        ({"noise_hourly_weights": [1]}, "noise_hourly_weights", "24 weights"),
        ({"alert_night_weight": 2000}, "alert_night_weight", "0 to 1000"),
        ({"table": "hudi"}, "table", "none; delta; iceberg"),
        ({"table": "delta", "format": "arrow"}, "table", "format parquet"),
        ({"bloom_filter": ["source.ipp"]}, "bloom_filter", "did you mean source.ip"),
        ({"users": 5, "ad_users": "u.csv"}, "users", "one of the two"),
    ],
)
def test_bad_values_are_value_errors_with_a_remedy(settings, name, remedy):
    with pytest.raises(ValueError) as error:
        fusiongen.plan(**settings)
    error = error.value
    assert isinstance(error, fusiongen.SettingError) and isinstance(error, fusiongen.Error)
    assert error.setting == name
    assert remedy in error.remedy
    assert str(error) == f"{name}: {error.problem}\n  {error.remedy}"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"evnets": 5}, "did you mean events"),
        ({"days": [7]}, "days takes an int or a str, not list"),
        ({"days": True}, "days takes"),
        ({"days": 1.5}, "days takes"),
        ({"noise_seasonality": 1}, "noise_seasonality takes a bool"),
        ({"strict": "yes"}, "strict takes a bool"),
        ({"start": datetime(2024, 1, 1)}, "start takes"),
        ({"bloom_filter": 5}, "bloom_filter takes"),
        ({"bloom_filter": [5]}, "bloom_filter takes"),
        ({"ad_users": 5}, "ad_users takes"),
    ],
)
def test_wrong_names_and_types_are_type_errors(settings, message):
    with pytest.raises(TypeError, match=message):
        fusiongen.plan(**settings)


def test_unusable_inputs_are_errors_without_flags(tmp_path):
    with pytest.raises(fusiongen.Error, match="no such file") as error:
        fusiongen.plan(ad_users=tmp_path / "absent.csv")
    assert not isinstance(error.value, ValueError)
    assert error.value.remedy.endswith("ad_users")
    again = pickle.loads(pickle.dumps(error.value))
    assert str(again) == str(error.value)
    with pytest.raises(fusiongen.Error):
        fusiongen.check(tmp_path)


def test_notes_are_logged(caplog):
    plan = fusiongen.plan(events=1000, noise_day_weight=3)
    assert plan.notes and "no effect without noise_seasonality" in plan.notes[0]
    assert [record.getMessage() for record in caplog.records] == plan.notes
    assert {record.name for record in caplog.records} == {"fusiongen"}


def test_types_hold(tmp_path):
    """A program that uses the whole module passes, and wrong ones do not."""
    api = pytest.importorskip("mypy.api")
    right = Path(__file__).with_name("typed.py")
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import fusiongen\n"
        "fusiongen.generate('out', evnets=5)\n"
        "fusiongen.plan(labels='some')\n"
        "fusiongen.truth('people')\n"
    )
    options = ["--strict", "--cache-dir", str(tmp_path / "cache")]
    output, errors, code = api.run([*options, str(right)])
    assert code == 0, output + errors
    output, _, _ = api.run([*options, str(wrong)])
    assert output.count(": error:") == 3, output


def test_a_preset_is_its_settings_and_is_overridden():
    soc = {"attack_chain_ratio": 0.01, "noise_ratio": 0.94, "noise_seasonality": True}
    assert config(preset="soc") == config(**soc)
    assert config(preset="seed") == config()
    assert config(preset="soc", noise_ratio=0.5)["noise_ratio"] == "0.5"
    with pytest.raises(fusiongen.SettingError, match="soc"):
        fusiongen.plan(events=1000, preset="sok")


def test_attacks_and_noise_are_chosen():
    chosen = config(playbook=["kerberoasting=3", "c2_nuance"], technique="T1558", scenario="backup")
    assert chosen["playbook"] == {"c2_nuance": None, "kerberoasting": 3}
    assert chosen["technique"] == ["T1558"]
    assert chosen["scenario"] == {"backup": None}
    assert not {"playbook", "technique", "scenario"} & set(config())
    events = fusiongen.sample(4, events="50k", playbook="kerberoasting")
    assert {event["attack"]["playbook"] for event in events} == {"kerberoasting"}
    with pytest.raises(fusiongen.SettingError, match="kerberoasting") as raised:
        fusiongen.plan(events=1000, playbook="kerberosting")
    assert raised.value.setting == "playbook"
    with pytest.raises(TypeError, match="playbook"):
        fusiongen.plan(events=1000, playbook={"kerberoasting": 3})
