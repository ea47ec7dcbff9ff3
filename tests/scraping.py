"""What a scrape of /metrics says, by name and labels."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    def __init__(self, exposition: str) -> None:
        self.families = list(text_string_to_metric_families(exposition))
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    @property
    def queryable(self) -> frozenset[str]:
        """The names that a query finds as soon as there is something to say, also where there is nothing yet."""
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        return frozenset(family.name + ending for family in self.families for ending in endings.get(family.type, [""]))

    def value(self, name: str, **labels: str) -> float:
        """0 for what is not there yet."""
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str) -> list[Mapping[str, str]]:
        return [dict(labels) for known, labels in self._samples if known == name]
