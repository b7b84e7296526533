"""`python -m serving`: the HTTP door of the settings in the environment, until it is told to stop."""

import sys

from serving.http.server import serve
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

if __name__ == "__main__":
    try:
        serve(load_settings())
    except DataInsightError as error:
        sys.exit(f"error: {error.message}")
