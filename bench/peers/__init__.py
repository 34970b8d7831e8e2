"""What users would pick instead, on the same event files: `make bench-peers` writes docs/peers.md.

`scenarios` makes the files, each peer's module turns a file into incidents, `judge` compares them with what is true,
and `table` writes the page. A peer's settings lie in the folder of its name.
"""
