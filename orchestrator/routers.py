"""Every page and every address of the web side."""

from orchestrator import health, live
from orchestrator.access import pages as access_pages
from orchestrator.backfills import routes as backfill_routes
from orchestrator.backups import routes as backup_routes
from orchestrator.bursts import routes as burst_routes
from orchestrator.curation import routes as curation_routes
from orchestrator.embedding import routes as embedding_routes
from orchestrator.export import pages as export_pages
from orchestrator.export import routes as export_routes
from orchestrator.failures import pages as failure_pages
from orchestrator.failures import routes as failure_routes
from orchestrator.file_ratings import pages as file_rating_pages
from orchestrator.file_ratings import routes as file_rating_routes
from orchestrator.imports import pages as import_pages
from orchestrator.imports import routes as import_routes
from orchestrator.metrics import routes as metrics_routes
from orchestrator.photos import pages as photo_pages
from orchestrator.photos import routes as photo_routes
from orchestrator.placards import pages as placard_pages
from orchestrator.placards import routes as placard_routes
from orchestrator.preferences import pages as preference_pages
from orchestrator.preferences import routes as preference_routes
from orchestrator.projects import pages as project_pages
from orchestrator.projects import routes as project_routes
from orchestrator.rejects import pages as reject_pages
from orchestrator.rejects import routes as reject_routes
from orchestrator.removal import routes as removal_routes
from orchestrator.renditions import routes as rendition_routes
from orchestrator.review import pages as review_pages
from orchestrator.review import pass_routes, presence
from orchestrator.review import routes as review_routes
from orchestrator.root_settings import routes as root_settings_routes
from orchestrator.stages import routes as stage_routes
from orchestrator.taste import pages as taste_pages
from orchestrator.taste import routes as taste_routes
from orchestrator.watching import routes as watch_routes
from orchestrator.write_back import routes as write_back_routes

ROUTERS = tuple(
    module.router
    for module in (
        import_routes, import_pages, rendition_routes, photo_routes, photo_pages,
        review_routes, pass_routes, presence, review_pages, removal_routes, reject_routes, reject_pages,
        failure_routes, failure_pages, project_routes, project_pages, stage_routes, burst_routes, backfill_routes,
        file_rating_routes, file_rating_pages, export_routes, export_pages, embedding_routes, curation_routes,
        taste_routes, taste_pages, write_back_routes, watch_routes, root_settings_routes,
        preference_routes, preference_pages, backup_routes, placard_routes,
        placard_pages, access_pages, live, health, metrics_routes,
    )
)  # fmt: skip
