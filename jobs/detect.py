"""For cron: `jobs/detect.py --config FILE` judges what was read and prints the incidents."""

import sys

from streammetrics.cli import main

if __name__ == "__main__":
    main(["detect", *sys.argv[1:]])
