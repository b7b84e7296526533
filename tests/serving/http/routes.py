"""What stands in the place of the parameters of paths, when a test goes through all routes."""

import re

PLACES = {
    "organization_id": "acme",
    "metric": "mrr",
    "dimension": "country",
    "key_id": "000000000000",
    "user_id": "nobody",
    "invitation_id": "000000000000",
    "erasure_id": "era_0000000000000000",
    "datasource_id": "ds_0000000000000000",
    "job_id": "job_0000000000000000",
}


def filled(path: str, **places: str) -> str:
    """A path of a route as it is asked for; what its parameters name is not there, but for metric and organization."""
    return re.sub(r"\{(\w+)\}", lambda found: {**PLACES, **places}[found[1]], path)
