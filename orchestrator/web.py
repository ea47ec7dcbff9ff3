"""What every page and every answer shares: `install` puts it on the application."""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import Scope

from orchestrator.access.addresses import is_address
from orchestrator.access.door import Door, turned_away
from orchestrator.answers import install_error_handlers
from orchestrator.metrics.archive import Archive
from orchestrator.metrics.requests import Observed
from orchestrator.rendering import STATIC_FOLDER, VersionedFiles, static_version
from orchestrator.security import Gate
from orchestrator.styleguide import show_styleguide


def install(app: FastAPI) -> None:
    """Static files, error answers, the style guide, and the gate and the door that every request passes."""
    app.mount(f"/static/{static_version()}", VersionedFiles(directory=STATIC_FOLDER), name="static")
    app.add_api_route("/styleguide", show_styleguide, include_in_schema=False, response_class=HTMLResponse)
    install_error_handlers(app)
    app.add_middleware(Door)
    app.add_middleware(Gate, names=_names, refuse=turned_away)  # asked before the door
    app.add_middleware(Observed)  # around both
    app.state.archive_figures = Archive()


def _names(scope: Scope) -> frozenset[str]:
    """Host names that the person allowed, and the address that the request came to; see `Gate`."""
    services = getattr(scope["app"].state, "services", None)
    allowed = services.settings.host_names if services else frozenset()  # none before the services are there
    host = (scope.get("server") or ("", None))[0]
    # A site can point its name at this machine, but not a number that is ours already.
    return frozenset({*allowed, host, f"[{host}]"} if is_address(host) else allowed)
