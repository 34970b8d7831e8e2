"""`python -m bench.peak module arguments…`: run the module, and print its peak of resident memory (MB, 10^6 bytes).

Linux counts to a process what the one had that started it, up to its exec: so a small one starts it here.
"""

import sys

from bench.measure import python

if __name__ == "__main__":
    print(python(*sys.argv[1:]).rss_mb)
