"""One file per kind of channel: a function that sends, and raises InputOutputError if that fails."""
