"""ElastAlert 2 without Elasticsearch: its rule types, loaded by its own loader from the YAML files of this folder.

They are given what its queries would have found: every minute (`run_every`) the records of the last 15 minutes
(`buffer_time`), each once, or their counts. It only alerts: nothing is resolved.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.peers.events import Events
from bench.peers.judge import MINUTE, Incident

Rule = dict[str, Any]


def found(events: Events, name: str, feed: Callable[[Rule, datetime, int], None]) -> list[Incident]:
    """The alerts of a rule; `feed` gives it what a query finds at a time: second, since the start."""
    from elastalert.loaders import FileRulesLoader

    folder = Path(__file__).parent
    loader = FileRulesLoader({})
    options = loader.get_yaml(str(folder / "config.yaml"))
    for key in ("run_every", "buffer_time"):
        options[key] = timedelta(**options[key])
    loader = FileRulesLoader(options)
    rule = loader.load_configuration(str(folder / f"{name}.yaml"), options)
    start = events.start.replace(tzinfo=UTC)
    return list(alerts_of(rule, start, events.seconds, feed))


def alerts_of(
    rule: Rule, start: datetime, seconds: int, feed: Callable[[Rule, datetime, int], None]
) -> Iterator[Incident]:
    """What is left of the matches when `realert` has silenced a code for so long, as its main loop does it."""
    silent_until: dict[str, int] = {}
    for second in range(MINUTE, seconds + 1, MINUTE):
        feed(rule, start + timedelta(seconds=second), second)
        rule["type"].garbage_collect(start + timedelta(seconds=second))
        while rule["type"].matches:
            code = rule["type"].matches.pop(0)[rule["query_key"]]
            if second >= silent_until.get(code, 0):
                silent_until[code] = second + int(rule["realert"].total_seconds())
                yield Incident(code, second)
