"""What people see: wording, warnings, notices, `status`, `explain`, heatmaps, the report page.

In come alerts, incidents and figures of the store; out go lines of text or JSON, pictures and a page. `cli` prints and
writes them, and `simulate` puts its incidents into the same words. Apart from the sent-log of notices nothing is
written back.
"""
