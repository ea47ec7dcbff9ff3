"""What pages call the stages. static/format.js says the same."""

STAGE_NAMES = {
    "convert": "Previews",
    "render": "Views",
    "curate": "Descriptions",
    "embed": "Similarity",
    "score": "Scores",
    "train": "Taste",
    "bursts": "Bursts",
    "results": "Results",
}


def stage_name(stage: str) -> str:
    return STAGE_NAMES.get(stage, stage)
