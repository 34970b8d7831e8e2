"""Notices: sends each change once to each channel of config.toml.

In come the changes of incidents and new codes that a pass found, and problems of sources and jobs. They are stored in
the table `notices`, one row per change and channel, and sent by stdout, Alertmanager, Apprise, PagerDuty or a command.
A channel that fails gets them from the next run. `cli` calls it.
"""
