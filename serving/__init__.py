"""Publishes the marts as a metric store and answers metric queries, each organization seeing its own rows."""
