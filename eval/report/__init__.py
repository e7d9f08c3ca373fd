"""The report of a run: the same figures as one HTML file for people, JSON for machines, and Markdown for a pull request."""
