"""`python -m bench.peers.replay PEER FILE...`, by the peer's own Python: prints its incidents, a JSON list a file."""

import json
import sys
from dataclasses import astuple
from importlib import import_module
from pathlib import Path

from bench.peers import events


def main() -> None:
    name, *paths = sys.argv[1:]
    peer = import_module(f"bench.peers.{name}")
    peer.prepare()
    for path in paths:
        print(json.dumps([astuple(one) for one in peer.alerts(events.read(Path(path)))]))


if __name__ == "__main__":
    main()
