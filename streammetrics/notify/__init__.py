"""Notices: what changed reaches people, once, on the channels that config.toml names.

In come the changes of incidents and new codes that a pass found, and what is wrong with feeds and jobs; they are kept
in the table `notices`, a row a change and channel, and out they go by a channel each: stdout, Alertmanager, Apprise,
PagerDuty, a command. A channel that fails gets them from the next run. `cli` calls it.
"""
