"""Lands what `sources.yaml` names: every new row appended to `raw_<source>`, every load in the ledger."""
