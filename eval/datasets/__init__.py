"""Labelled sets: questions, what answers them, and the documents they are asked about, read from their usual layouts.

A judgement is about a document or a page of it, never about a chunk: chunk ids change with every setting that is worth
trying, documents and pages stay.
"""
