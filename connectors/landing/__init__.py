"""Extracted rows into raw, once: appended in one load, and what happened written into the ledger."""
