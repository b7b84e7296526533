"""A client of the HTTP API: metrics as Python values, Arrow tables or pandas frames, with what they stand on."""

from datainsight_client.answer import Answer, Checks, Trust
from datainsight_client.client import DataInsight
from datainsight_client.errors import DataInsightClientError, Problem
from datainsight_client.question import Filter, NamedQuestion, Question, Top

__all__ = [
    "Answer",
    "Checks",
    "DataInsight",
    "DataInsightClientError",
    "Filter",
    "NamedQuestion",
    "Problem",
    "Question",
    "Top",
    "Trust",
]
