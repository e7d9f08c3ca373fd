"""Adapters that say whether a text carries a claim; the exact checks of rag/retrieval/support.py come before them."""
