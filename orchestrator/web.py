"""What every page and every answer shares: `install` puts it on the application."""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.types import Scope

from orchestrator.answers import error, install_error_handlers
from orchestrator.rendering import STATIC_FOLDER, VersionedFiles, static_version
from orchestrator.security import Gate
from orchestrator.styleguide import show_styleguide


def install(app: FastAPI) -> None:
    """Static files, error answers, the style guide and the gate that every request passes."""
    app.mount(f"/static/{static_version()}", VersionedFiles(directory=STATIC_FOLDER), name="static")
    app.add_api_route("/styleguide", show_styleguide, include_in_schema=False, response_class=HTMLResponse)
    install_error_handlers(app)
    app.add_middleware(Gate, names=_names, refuse=error)


def _names(scope: Scope) -> frozenset[str]:
    """Host names that the person allowed beside this machine's own; none before the services are there."""
    services = getattr(scope["app"].state, "services", None)
    return frozenset(services.settings.host_names) if services else frozenset()
