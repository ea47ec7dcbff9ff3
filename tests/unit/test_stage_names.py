"""Pages made by the server and pages made in the browser call a stage the same."""

import re
from pathlib import Path

from orchestrator.rendering import STATIC_FOLDER
from orchestrator.stages.names import STAGE_NAMES


def test_the_browser_has_the_same_names() -> None:
    (table,) = re.findall(r"const STAGES = \{(.*?)\}", Path(STATIC_FOLDER / "format.js").read_text())
    in_browser = dict(re.findall(r'(\w+): "(\w+)"', table))
    assert in_browser == {stage: name for stage, name in STAGE_NAMES.items() if stage != "results"}
