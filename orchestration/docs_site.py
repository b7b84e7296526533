"""`python -m orchestration.docs_site PORT`: makes dbt's page about the models, then serves it on loopback."""

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from connectors.config import load_sources
from orchestration.dbt import project_variables, write_documentation
from warehouse.connect import open_warehouse
from warehouse.errors import DataInsightError
from warehouse.settings import load_settings

# The page is one file with its own scripts; whatever else it may want to load stays away.
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data:; connect-src 'none'"


def serve(page: Path, port: int) -> None:
    """Serve one page until the process ends."""
    content = page.read_bytes()

    class Page(BaseHTTPRequestHandler):
        """Answers the root with the page, everything else with 404."""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("Cache-Control", "no-cache")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name.
            """The log says why there is no page, not who looked at it."""

    ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()


def main() -> None:
    """Make the page of this installation's models and serve it on the port of the command line."""
    settings = load_settings()
    try:
        sources = load_sources(settings.sources, settings.home)
        variables = project_variables(settings, (source.name for source in sources))
        with open_warehouse(settings) as warehouse:
            page = write_documentation(warehouse, settings.home, variables=variables)
    except DataInsightError as error:
        sys.exit(f"{error} ({error.hint})")
    serve(page, int(sys.argv[1]))


if __name__ == "__main__":
    main()
