"""`python -m streammetrics` is the console script."""

from streammetrics.cli import main

if __name__ == "__main__":
    main()
