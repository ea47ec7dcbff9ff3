from dataclasses import replace

from tests.doubles.stages import convert

stage = replace(convert.stage, deadline_seconds=0.8)
