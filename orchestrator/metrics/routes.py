"""`/metrics`: what Prometheus asks for."""

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from orchestrator.context import Services, ServicesDep
from orchestrator.metrics.archive import Archive, Families
from orchestrator.metrics.instruments import REGISTRY

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def scrape(request: Request, services: ServicesDep) -> Response:
    """Figures of this process, and those of the archive, which are alike on every orchestrator."""
    archive: Archive = request.app.state.archive_figures
    families = [*_of_process(services), *await archive.families(services)]
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(_Scrape(families)), media_type=content_type)


class _Scrape(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        yield from REGISTRY.collect()
        yield from self._families


def _of_process(services: Services) -> Families:
    """What is looked at when somebody asks."""
    pool = services.sessions.kw["bind"].pool
    connections = GaugeMetricFamily(
        "keepers_orchestrator_database_connections", "Connections to the database", labels=["state"]
    )
    connections.add_metric(["in use"], pool.checkedout())
    connections.add_metric(["idle"], pool.checkedin())
    return [
        connections,
        GaugeMetricFamily(
            "keepers_orchestrator_leads", "Whether it publishes and stores, as one of all does", services.leads()
        ),
        GaugeMetricFamily("keepers_orchestrator_event_streams", "Open event streams of pages", services.live.streams),
        GaugeMetricFamily(
            "keepers_orchestrator_broker_connected", "Whether it is connected to the broker", services.is_connected()
        ),
    ]
