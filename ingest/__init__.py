"""From bytes to published chunks. Knows files and formats; knows nothing of HTTP and settings."""
