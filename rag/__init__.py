"""The engine: types, protocols, adapters, retrieval steps and generation. Knows no file formats, HTTP or settings."""
