"""One channel a file: a function that sends, and raises InputOutputError where that fails."""
