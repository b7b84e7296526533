"""Measured claims: each module measures one thing beside what it is compared with, in one run.

They are not tests, and no test asserts a time.
"""
