"""Templates and static files: how a page is made out of a typed context."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Scope

from orchestrator.preferences.views import Preferences
from orchestrator.stages.names import stage_name

_HERE = Path(__file__).parent
STATIC_FOLDER = _HERE / "static"
_FOREVER = "public, max-age=31536000, immutable"


def render(request: Request, template: str, context: BaseModel, *, status: int = 200) -> HTMLResponse:
    """The page that `template` makes of `context`; its fields are the template's names."""
    fields = {name: getattr(context, name) for name in type(context).model_fields}
    text = (
        _environment().get_template(template).render(path=request.url.path, preferences=_preferences(request), **fields)
    )
    # Browsers keep a page for going back, and ask again when it is opened.
    return HTMLResponse(text, status, headers={"cache-control": "no-cache"})


def _preferences(request: Request) -> Preferences:
    """The usual ones before the services are there."""
    services = getattr(request.app.state, "services", None)
    found: Preferences = services.preferences.current if services else Preferences()
    return found


@cache
def static_version() -> str:
    """One version for all static files: modules import each other by relative address."""
    digest = hashlib.sha256()
    for file in sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file()):
        digest.update(file.relative_to(STATIC_FOLDER).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


class VersionedFiles(StaticFiles):
    """Mounted under the version of its content, so browsers may keep every file for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = _FOREVER
        return response


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = _static
    environment.filters["data"] = _data
    environment.filters["thousands"] = _thousands
    environment.filters["pretty"] = _pretty
    environment.filters["stage_name"] = stage_name
    environment.filters["error_name"] = _error_name
    return environment


def _static(name: str) -> str:
    return f"/static/{static_version()}/{name}"


def _data(value: BaseModel) -> Markup:
    """JSON for a `<script type="application/json">`: no text in it can end the element."""
    text = json.dumps(value.model_dump(mode="json"), ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _thousands(number: int) -> str:
    return f"{number:,}"


def _error_name(error_type: str) -> str:
    """ "corrupt file" for CorruptFile"""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error_type).lower()


def _pretty(value: Any) -> str:  # Any: JSON
    # Lines of a traceback are to be read as lines.
    return json.dumps(value, indent=2, ensure_ascii=False, default=str).replace("\\n", "\n")
