"""Sources that organizations add over HTTP: what they may say, their secrets, jobs on them, files that are uploaded."""
