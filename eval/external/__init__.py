"""Benchmarks of other makers: their data sets for our bench, our retriever for their bench. Imported where used."""
