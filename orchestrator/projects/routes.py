"""Projects as JSON."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import ERRORS
from orchestrator.context import Services, ServicesDep
from orchestrator.paging import PageDep, RowId
from orchestrator.photos.views import PhotoList
from orchestrator.projects import queries, service
from orchestrator.projects.views import (
    NewMerge,
    NewOrder,
    NewProject,
    ProjectChange,
    ProjectEnded,
    ProjectItem,
    ProjectList,
)
from orchestrator.review import service as review
from orchestrator.review.verbs import committed

router = APIRouter(responses=ERRORS)


@router.get("/api/projects")
async def list_projects(services: ServicesDep) -> ProjectList:
    async with services.sessions() as session:
        return ProjectList(items=await queries.all_projects(session))


@router.post("/api/projects", status_code=201)
async def create_project(services: ServicesDep, wish: NewProject) -> ProjectItem:
    """Refused when there is one of this name, upper and lower case being the same."""
    project_id = await committed(services.sessions, lambda session: service.create(session, wish.name))
    return await _shown(services, project_id)


@router.get("/api/projects/{project_id}")
async def show_project(services: ServicesDep, project_id: RowId) -> ProjectItem:
    return await _shown(services, project_id)


@router.patch("/api/projects/{project_id}")
async def change_project(services: ServicesDep, project_id: RowId, wish: ProjectChange) -> ProjectItem:
    """Rename it, or choose its cover."""

    async def change(session: AsyncSession) -> None:
        if "name" in wish.model_fields_set:
            await service.rename(session, project_id, wish.name)
        if "cover_id" in wish.model_fields_set:
            await service.choose_cover(session, project_id, wish.cover_id)

    await committed(services.sessions, change)
    return await _shown(services, project_id)


@router.delete("/api/projects/{project_id}")
async def delete_project(services: ServicesDep, project_id: RowId) -> ProjectEnded:
    """Its photos stay, in no project."""
    ended = await committed(services.sessions, lambda session: service.delete(session, project_id))
    return ProjectEnded(id=project_id, name=ended.name, photos=ended.photos)


@router.post("/api/projects/{project_id}/merge")
async def merge_project(services: ServicesDep, project_id: RowId, wish: NewMerge) -> ProjectEnded:
    """All its photos go behind those of `into`, and it ends."""
    ended = await committed(services.sessions, lambda session: service.merge(session, project_id, wish.into))
    return ProjectEnded(id=project_id, name=ended.name, photos=ended.photos)


@router.post("/api/projects/{project_id}/restore")
async def restore_project(services: ServicesDep, project_id: RowId) -> ProjectItem:
    """Undo that it was deleted or merged. Photos that were put elsewhere since stay there."""

    async def restore(session: AsyncSession) -> None:
        await review.undo(session, await service.bring_back(session, project_id))

    await committed(services.sessions, restore)
    return await _shown(services, project_id)


@router.get("/api/projects/{project_id}/photos")
async def list_photos_of_project(services: ServicesDep, project_id: RowId, page: PageDep) -> PhotoList:
    """In the order of the project, without rejected ones."""
    await _shown(services, project_id)
    async with services.sessions() as session:
        return await queries.photos_in_order(session, project_id, page)


@router.post("/api/projects/{project_id}/order")
async def order_project(services: ServicesDep, project_id: RowId, wish: NewOrder) -> ProjectItem:
    await committed(services.sessions, lambda session: service.put_in_order(session, project_id, wish.ids))
    return await _shown(services, project_id)


async def _shown(services: Services, project_id: int) -> ProjectItem:
    async with services.sessions() as session:
        found = await queries.project(session, project_id)
    if found is None:
        raise service.unknown_project()
    return found
