"""For cron: `jobs/ingest.py --config FILE` reads what is new into the store."""

import sys

from streammetrics.cli import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
