"""Settings, wiring, HTTP, jobs runner, web page."""
