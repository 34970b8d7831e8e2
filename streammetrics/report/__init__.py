"""What people see: wording, warnings, notices, `status`, `explain`, heatmaps.

In come alerts, incidents and figures of the store; out go lines of text or JSON, and pictures. `cli` prints and writes
them, and `simulate` puts its incidents into the same words. Apart from the sent-log of notices nothing is written back.
"""
