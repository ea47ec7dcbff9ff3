from dataclasses import replace

from tests.doubles.stages import convert

stage = replace(convert.stage, deadline_seconds=2.5)  # a decoder starts within that also on a busy machine
