"""Writes docs/messages.md from the contracts: `python docs/generate_messages.py`. A test keeps it current."""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared import contracts
from shared.contracts import Message, answers
from shared.topology import topology

PAGE = Path(__file__).with_name("messages.md")


def main() -> None:
    PAGE.write_text(page())


def page() -> str:
    """The whole page as Markdown."""
    names = topology("keepers.v1", stages(), (5_000, 30_000, 300_000))
    return "\n".join(
        [
            "# Messages",
            "",
            "Generated from `shared/contracts` and `shared/topology.py` by `docs/generate_messages.py`. Bodies are",
            "JSON; unknown fields are ignored. A message carries paths (claim checks), never bytes of a file.",
            "",
            "Properties: `message_id` is the run id, `correlation_id` what it is part of (`import-7`, a job, or",
            "`photo-12`), `type` the kind and its version (`convert.request.v1`), headers `attempt`, from 1, and",
            "`traceparent`: the trace of the request that began it, and a span named after the run. Answers carry both",
            "ids. A path is percent-encoded bytes: absolute, or the address of a bucket, for an original, relative",
            "to the claims folder or bucket for a derived file.",
            "",
            "## Queues",
            "",
            "| queue | arguments |",
            "|---|---|",
            *(f"| `{queue.name}` | `{json.dumps(dict(queue.arguments))}` |" for queue in names.queues),
            "",
            "## Stages",
            *(line for stage in stages() for line in _stage(stage)),
            "",
            "## Answers, on `results`",
            *(
                line
                for model in (answers.Done, answers.Failed, answers.Held, answers.Failure)
                for line in _model(model)
            ),
            "",
        ]
    )


def stages() -> list[str]:
    """Every contract module that is one of a stage."""
    modules = (module.name for module in pkgutil.iter_modules(contracts.__path__))
    return [name for name in modules if name != "answers"]


def _stage(name: str) -> list[str]:
    module = importlib.import_module(f"shared.contracts.{name}")
    nested = [
        model
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, Message) and model.__module__ == module.__name__
    ]
    nested.sort(key=lambda model: (model is not module.Request, model is not module.Result, model.__name__))
    return [
        "",
        f"### {name}",
        "",
        (module.__doc__ or "").strip(),
        *(line for model in nested for line in _model(model)),
    ]


def _model(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    rows = [
        f"| `{name}` | {_type(field)} | {'yes' if name in required else 'no'} |"
        for name, field in schema["properties"].items()
    ]
    about = model.__dict__.get("__doc__")
    return [
        "",
        f"**`{getattr(model, 'kind', model.__name__)}`**",
        "",
        *([inspect.cleandoc(about), ""] if about else []),
        "| field | type | required |",
        "|---|---|---|",
        *rows,
    ]


def _type(field: dict[str, Any]) -> str:  # Any: JSON schema
    """A field's type in words."""
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = str(field.get("format") or field.get("type", "base64 text"))
    return f"{kind} `{field['pattern']}`" if "pattern" in field else kind


if __name__ == "__main__":
    main()
