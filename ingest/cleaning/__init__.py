"""Text as it was meant, before it is cut into chunks. What layouts of PDF pages need beyond this is in ingest/layout/text.py."""
