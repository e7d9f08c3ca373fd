"""Labelled sets from one's own documents: questions proposed from passages, filtered, and written for review."""
