"""What single keys do in the loupe and the gallery. A person may give an action other keys, or none.

A key is named by what it writes: `x`, `?`, `Shift+k`; digits by their place, so that they are the same on every layout;
others as browsers name them: `ArrowLeft`, `Space`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Keys = dict[str, list[str]]  # action -> its keys


@dataclass(frozen=True)
class Action:
    name: str
    words: str
    keys: tuple[str, ...]


GROUPS: Mapping[str, tuple[Action, ...]] = {
    "Move": (
        Action("next", "next photo", ("ArrowRight", "Space")),
        Action("previous", "previous photo", ("ArrowLeft",)),
        Action("first", "first photo", ("Home",)),
        Action("last", "last photo", ("End",)),
        Action("frameUp", "previous frame of the burst", ("ArrowUp",)),
        Action("frameDown", "next frame of the burst", ("ArrowDown",)),
        Action("previousBurst", "previous burst", ("[",)),
        Action("nextBurst", "next burst", ("]",)),
    ),
    "Decide": (
        Action("keep", "keep; in a burst: keep this, reject the others", ("k",)),
        Action("reject", "reject or restore", ("x",)),
        Action("pick", "chef’s pick", ("p",)),
        Action("clear", "clear pick and reject", ("u",)),
        *(Action(f"rate{n}", "1 star" if n == 1 else f"{n} stars", (str(n),)) for n in range(1, 6)),
        Action("rate0", "no stars", ("0",)),
        Action("project", "put into a project", ("t",)),
        Action("keepOnly", "of those compared: keep this, reject the others", ("Shift+k",)),
        Action("select", "select in the gallery", ("m",)),
        Action("selectAll", "select all in the gallery", ("a",)),
    ),
    "Look": (
        Action("zoom", "one pixel for one pixel, at the pointer", ("z",)),
        Action("overlays", "focus peaking and clipping", ("o",)),
        Action("compare", "compare two to four", ("c",)),
        Action("burst", "filmstrip; in the gallery: frames of the burst", ("b",)),
        Action("panel", "about the photo", ("i",)),
        Action("full", "full screen", ("f",)),
        Action("help", "what the keys do", ("?",)),
    ),
}
ACTIONS: Mapping[str, Action] = {action.name: action for group in GROUPS.values() for action in group}
# Known from elsewhere, and the way out: nobody may lose them.
FIXED: Mapping[str, tuple[str, ...]] = {"undo": ("Ctrl+z",), "redo": ("Ctrl+Shift+z",), "escape": ("Escape",)}

MOST_KEYS = 4  # of one action
_NAMED = frozenset(
    {
        "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Space", "Insert",
        "Delete", "Backspace", *(f"F{n}" for n in range(1, 13)),
    }
)  # fmt: skip
_SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}


def is_key(name: str) -> bool:
    """Whether a key can be given to an action. Enter and Tab belong to the page."""
    bare = name.removeprefix("Shift+")
    if bare in _NAMED:
        return True
    is_letter = len(bare) == 1 and bare.isprintable() and not bare.isspace() and bare == bare.lower()
    return is_letter and (bare == name or re.fullmatch(r"[^\W\d_]", bare) is not None)


def shown(key: str) -> str:
    """The key as a person reads it."""
    *before, last = key.split("+") if len(key) > 1 else [key]
    name = _SHOWN.get(last, last.upper() if before else last)
    return "+".join([*before, name])


def in_force(chosen: Mapping[str, list[str]]) -> Keys:
    """All actions with their keys: those that were chosen, and the usual ones of the others. What was chosen goes
    before what is usual."""
    taken = {key for name, keys in chosen.items() if name in ACTIONS for key in keys}
    return {
        name: list(chosen[name]) if name in chosen else [key for key in action.keys if key not in taken]
        for name, action in ACTIONS.items()
    } | {name: list(keys) for name, keys in FIXED.items()}


def twice(keys: Keys, changed: str) -> tuple[str, Action] | None:
    """A key of the action `changed` that another action has as well, and that action."""
    for name, theirs in keys.items():
        for key in keys[changed]:
            if name != changed and key in theirs and name in ACTIONS:
                return key, ACTIONS[name]
    return None
