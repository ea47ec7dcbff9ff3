"""Import torchvision where its compiled operators do not fit the installed torch.

With a CPU build of torch and an ordinary build of torchvision, `import torchvision` ends in "operator torchvision::nms
does not exist": it describes operators (for detection models) that its library could not bring. open_clip
needs only its image transforms, which are plain Python. Exactly that failure is tolerated; any other is raised.
"""

import importlib
from collections.abc import Callable
from typing import Any

import torch


def import_torchvision() -> None:
    """Import torchvision, with its operators or without. To be called before `import open_clip`."""
    register_fake = torch.library.register_fake
    torch.library.register_fake = _tolerating_absence(register_fake)
    try:
        importlib.import_module("torchvision")
    finally:
        torch.library.register_fake = register_fake


def _tolerating_absence(register_fake: Callable[..., Any]) -> Callable[..., Any]:  # Any: torch's own signature
    def register(operator: Any, *args: Any, **kwargs: Any) -> Any:
        decorate = register_fake(operator, *args, **kwargs)
        if args or not str(operator).startswith("torchvision::"):
            return decorate

        def decorated(description: Callable[..., Any]) -> Callable[..., Any]:
            try:
                return decorate(description)  # type: ignore[no-any-return]  # it returns what it is given
            except RuntimeError as exc:
                if f"operator {operator} does not exist" not in str(exc):
                    raise
                return description

        return decorated

    return register
