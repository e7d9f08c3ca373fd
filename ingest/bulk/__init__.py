"""The same pipeline over many machines: files are parsed and texts embedded by Ray actors, and written by this process alone."""
