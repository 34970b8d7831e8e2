"""Where records come from: which files there are, and how their bytes become typed rows and rejects."""
