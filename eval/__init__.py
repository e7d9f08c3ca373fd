"""Measures the system that is served."""
