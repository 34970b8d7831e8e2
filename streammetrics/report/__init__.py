"""What people read: wording, warnings, `status`, `explain`, `verdict`, heatmaps, the report page.

In come alerts, incidents and figures of the store; out go lines of text or JSON, pictures and a page. `cli` prints and
writes them, and `simulate` words its incidents in the same way. Only `warnings` writes to the store: what was reported.
"""
