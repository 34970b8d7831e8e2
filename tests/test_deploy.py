"""deploy/ is right: checked by the programs that read it where there is one, and by running what it runs."""

import getpass
import grp
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from cronsim import CronSim

from streammetrics.cli.commands import app
from streammetrics.config import Config
from tests.cli.test_cli import records, streammetrics
from tests.programs import program

REPOSITORY = Path(__file__).parents[1]
DEPLOY = REPOSITORY / "deploy"
PROGRAM = "/opt/streammetrics/.venv/bin/streammetrics"
STATE = "/var/lib/streammetrics"
START = datetime(2026, 1, 1)
MEMORY_BYTES = 2 << 30
"""docs/reliability.md, row 21: under 2 GB."""


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit(name: str) -> dict[str, list[str]]:
    """The values of each key of a unit, whatever its section."""
    found: dict[str, list[str]] = {}
    for line in text(name).splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def documents() -> dict[str, dict[str, Any]]:
    """Of the Kubernetes file, by kind."""
    return {one["kind"]: one for one in yaml.safe_load_all(text("kubernetes.yaml"))}


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", "\n".join(line for line in text("Dockerfile").splitlines() if line[:1] != "#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines.splitlines() if line)]


def stub(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    stub(tmp_path / "streammetrics", "exit 0")
    for path in DEPLOY.glob("streammetrics*.*"):
        (tmp_path / path.name).write_text(text(path.name).replace(PROGRAM, str(tmp_path / "streammetrics")))
    units = [str(path) for path in sorted(tmp_path.glob("*.[st]*"))]
    assert len(units) == 3
    done = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    # Tenths; without the options that harden it, it is 92.
    limits = ["--offline=true", "--threshold=25", str(tmp_path / "streammetrics.service")]
    done = subprocess.run([analyze, "security", "--no-pager", *limits], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_service_fails_only_where_somebody_is_needed() -> None:
    service = unit("streammetrics.service")
    assert service["Type"] == ["oneshot"]
    assert service["SuccessExitStatus"] == ["75 143"]
    assert (DEPLOY / service["OnFailure"][0]).is_file()
    assert service["MemoryMax"] == ["2G"]
    assert service["WorkingDirectory"] == [STATE] == [f"/var/lib/{service['StateDirectory'][0]}"]


@pytest.mark.slow
def test_it_runs_where_only_its_folder_can_be_written(tmp_path: Path) -> None:
    """As ProtectSystem=strict, NoNewPrivileges and CapabilityBoundingSet have it."""
    state, outside = tmp_path / "state", tmp_path / "outside"
    state.mkdir()
    outside.mkdir()
    records(state / "errors.csv", minutes=5)
    (state / "config.toml").write_text('[[source]]\nname = "s"\npath = "errors.csv"\n')
    arguments = shlex.split(unit("streammetrics.service")["ExecStart"][0].replace(STATE, str(state)))[1:]
    run = shlex.join([sys.executable, "-m", "streammetrics", *arguments])
    script = f"""mount --make-rprivate / && mount --bind {state} {state} && mount -o bind,remount,ro / || exit 99
        touch {outside}/file 2>/dev/null && exit 98
        cd {state} && exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all {run}"""
    done = subprocess.run(
        [program("unshare", "util-linux"), "--mount", "--map-root-user", "sh", "-c", script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 99 or "unshare failed" in done.stderr:
        pytest.skip(f"this system lets nobody mount: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert (state / "var" / "streammetrics.duckdb").is_file()
    assert list(outside.iterdir()) == []


def cron_lines() -> list[tuple[str, str, str]]:
    """Times, user and command of each entry of the crontab."""
    lines = [line for line in text("crontab").splitlines() if re.match(r"[\d*]", line)]
    return [(" ".join(fields[:5]), fields[5], fields[6]) for fields in (line.split(None, 6) for line in lines)]


def test_cron_takes_the_crontab() -> None:
    assert text("crontab").endswith("\n")
    for times, user, command in cron_lines():
        next(CronSim(times, START))
        assert user == "streammetrics"
        assert "%" not in command


@pytest.mark.parametrize(("code", "is_mailed"), [(0, False), (75, False), (74, True), (78, True), (1, True)])
def test_cron_mails_failures_and_not_a_busy_store(tmp_path: Path, code: int, is_mailed: bool) -> None:
    program("flock", "util-linux")
    stub(tmp_path / "run", f'echo "$*" >&2; exit {code}')
    settings = {"home": str(tmp_path), "log": str(tmp_path / "run.jsonl"), "run": str(tmp_path / "run")}
    done = subprocess.run(
        ["sh", "-c", cron_lines()[0][2]], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    assert (tmp_path / "run.jsonl").read_text() == "--log-format json run\n"
    assert (done.stdout, done.stderr) == ("--log-format json run\n" if is_mailed else "", "")


def test_cron_starts_no_second_run_beside_one(tmp_path: Path) -> None:
    flock = program("flock", "util-linux")
    stub(tmp_path / "run", "echo started")
    (tmp_path / "run.jsonl").write_text("of an earlier run\n")
    settings = {"home": str(tmp_path), "log": str(tmp_path / "run.jsonl"), "run": str(tmp_path / "run")}
    inner = ["sh", "-c", cron_lines()[0][2]]
    command = [flock, str(tmp_path / "cron.lock"), *inner]
    for outer, shown in ((command, ""), (inner, "started\n")):
        done = subprocess.run(outer, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, shown, "")


def test_logrotate_takes_the_logs(tmp_path: Path) -> None:
    logs = tmp_path / "log"
    logs.mkdir(mode=0o750)
    (logs / "run.jsonl").write_text("{}\n")
    user = f"{getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name}"
    config = text("logrotate").replace("/var/log/streammetrics", str(logs)).replace("streammetrics streammetrics", user)
    (tmp_path / "conf").write_text(config)
    (tmp_path / "conf").chmod(0o644)
    command = [program("logrotate", "logrotate"), "-d", "-s", str(tmp_path / "state"), str(tmp_path / "conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"considering log {logs / 'run.jsonl'}" in done.stderr
    assert "error:" not in done.stderr


@pytest.mark.slow
def test_what_the_image_copies_makes_the_package(tmp_path: Path) -> None:
    sources = tmp_path / "source"
    sources.mkdir()
    copied = [rest.split() for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    for *names, target in copied:
        for name in names:
            if (REPOSITORY / name).is_dir():
                shutil.copytree(REPOSITORY / name, sources / target)
            else:
                shutil.copy(REPOSITORY / name, sources)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    done = subprocess.run(build, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.whl"))) == 1
    assert (sources / "requirements.txt").is_file()


def test_the_image_runs_as_a_user_and_a_python_that_fits() -> None:
    found = dict(instructions())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert found["USER"] == "10001:10001"
    bases = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert bases == ["python:3.11-slim-bookworm"] * 2
    assert project["requires-python"] == ">=3.11"
    assert yaml.safe_load(found["ENTRYPOINT"]) == [next(iter(project["scripts"]))]


@pytest.mark.parametrize(
    "command", [("hadolint", "Dockerfile"), ("kubernetes-validate", "--strict", "kubernetes.yaml")]
)
def test_linters_find_nothing(command: tuple[str, ...]) -> None:
    name, *arguments = command
    found = subprocess.run(
        [Path(sys.executable).parent / name, *arguments], cwd=DEPLOY, text=True, capture_output=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_cron_job_has_what_it_needs() -> None:
    found = documents()
    job = found["CronJob"]["spec"]
    template = job["jobTemplate"]["spec"]
    pod = template["template"]["spec"]
    (container,) = pod["containers"]
    next(CronSim(job["schedule"], START))
    assert (job["concurrencyPolicy"], pod["restartPolicy"], template["backoffLimit"]) == ("Forbid", "Never", 0)
    (rule,) = template["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [75]}
    assert container["resources"]["limits"]["memory"] == f"{MEMORY_BYTES >> 30}Gi"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    names = {volume["name"]: volume for volume in pod["volumes"]}
    assert names["config"]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert names["data"]["persistentVolumeClaim"]["claimName"] == found["PersistentVolumeClaim"]["metadata"]["name"]
    Config.model_validate(tomllib.loads(found["ConfigMap"]["data"]["config.toml"]))


def test_commands_in_deploy_are_commands() -> None:
    """Each command line that a file starts, with its options."""
    healthcheck = dict(instructions())["HEALTHCHECK"].partition("CMD ")[2]
    (container,) = documents()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    lines = [
        shlex.split(unit("streammetrics.service")["ExecStart"][0])[1:],
        yaml.safe_load(dict(instructions())["CMD"]),
        yaml.safe_load(healthcheck)[1:],
        container["args"],
        *(shlex.split(re.split(r"2>>", command.partition("$run ")[2])[0]) for _, _, command in cron_lines()),
    ]
    assert [line[-1] for line in lines if len(line) == 1] == []
    group = typer.main.get_command(app)
    for line in lines:
        context = group.make_context("streammetrics", list(line), resilient_parsing=True)
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])  # type: ignore[attr-defined]
        assert command.make_context(name, rest).args == []


@pytest.mark.slow
def test_the_settings_of_the_cron_job_run(tmp_path: Path) -> None:
    settings = documents()["ConfigMap"]["data"]["config.toml"].replace("/data", str(tmp_path))
    (tmp_path / "incoming").mkdir()
    records(tmp_path / "incoming" / "errors.csv", minutes=5)
    (tmp_path / "config.toml").write_text(settings)
    done = streammetrics(tmp_path, "run", "--config", "config.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "streammetrics.duckdb").is_file()
