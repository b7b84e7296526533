"""`datainsight serve`: the HTTP API alone, until Ctrl-C."""

from orchestration.commands.output import aside
from warehouse.settings import load_settings


def serve() -> None:
    """Serve the metrics over HTTP until Ctrl-C; `up` does so, too."""
    from serving.http.server import serve as serve_http

    settings = load_settings()
    aside.print(f"http://{settings.api_host}:{settings.api_port}/api/v1; Ctrl-C stops it", soft_wrap=True)
    serve_http(settings)
