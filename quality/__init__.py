"""Judges every landed batch: suites (plain files), verdicts (Great Expectations), quarantine and admission.

What belongs to the star schema (keys, relations, invariants) is dbt's; Dagster only reports and blocks.
"""
