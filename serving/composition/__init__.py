"""Composed questions: comparison, fill, top, totals, each made of plain questions on one snapshot and joined here.

The compiler knows nothing of them, and nothing here reads a mart: every row comes out of a plain question, with its
tenant filter, so that there is nothing more to secure.
"""
