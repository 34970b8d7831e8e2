"""Prometheus: promtool evaluates the rules at each minute of the series, with the engine of the server.

`promtool test rules` is used for what it prints: each minute expects no alert, and it reports the ones that fire.
"""

import json
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.peers.events import Events
from bench.peers.judge import MINUTE, Incident, merged
from bench.peers.programs import program, series

RULES = Path(__file__).with_name("rules.yml")
_FIRING = 'time() * ALERTS{alertstate="firing"}'
_GOT = re.compile(r'code="([^"]+)"[^}]*} (\S+?)(?:,|$)', re.MULTILINE)
"""A code, and the second at which it fires: the stream begins at 0."""


def prepare() -> None:
    program("promtool", "prometheus")


def alerts(events: Events) -> list[Incident]:
    minutes = range(1, events.seconds // MINUTE + 1)
    test = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": " ".join(map(str, values))} for name, values in series(events).items()
        ],
        "promql_expr_test": [{"expr": _FIRING, "eval_time": f"{minute}m"} for minute in minutes],
    }
    with tempfile.TemporaryDirectory() as folder:
        tests = Path(folder, "test.json")  # JSON is YAML.
        tests.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
        command = [program("promtool", "prometheus"), "test", "rules", str(tests)]
        done = subprocess.run(command, capture_output=True, text=True)
    firing: dict[str, list[int]] = defaultdict(list)
    for code, second in _GOT.findall(done.stderr):
        firing[code].append(int(float(second)))
    if done.returncode != 0 and not firing:
        raise RuntimeError(f"promtool: {done.stderr[-500:]}")
    return merged(firing, MINUTE, events.seconds)
