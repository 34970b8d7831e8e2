"""General parts without domain knowledge: signals, log events, progress, atomic files, terminal text, databases by URL.

In come values, paths and signals; out go lines on stderr, files that are written atomically, and text that is safe on a
terminal. Every other room calls it. It imports only `errors`.
"""
