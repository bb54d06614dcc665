"""The usual Python way of the same job: FastAPI, SQLAlchemy and httpx, behind a sidecar. Tasks are created and completed
over HTTP, each change is published through Dapr after its commit, and a completed weekly task gets its next occurrence
when its event comes back. An inbox keeps a repeated event from a second effect.

It is written as well as this way allows: asynchronous throughout, one transaction for each request, pooled connections,
uvloop and httptools. It promises less than the service: an event whose publishing fails is lost, and bulk is unknown to it.

    DATABASE_URL, DAPR_HTTP_PORT, DAPR_API_TOKEN; run by uvicorn with one worker."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import BigInteger, ForeignKey, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DAPR = f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0/publish/kafka-pubsub/task-events"
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, index=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    due_date: Mapped[str | None] = mapped_column(Text)
    recurrence_rule: Mapped[str | None] = mapped_column(Text)
    completed: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))


class Taken(Base):
    __tablename__ = "inbox"
    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class NewTask(BaseModel):
    title: str
    description: str | None = None
    tags: list[str] = []
    due_date: str | None = None
    recurrence_rule: str | None = None


clients: dict[str, httpx.AsyncClient] = {}


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with httpx.AsyncClient(headers={"dapr-api-token": os.environ["DAPR_API_TOKEN"]}) as client:
        clients["dapr"] = client
        yield


app = FastAPI(lifespan=lifespan)


def shown(task: Task) -> dict[str, Any]:
    return {"id": task.id, "title": task.title, "description": task.description, "tags": task.tags,
            "due_date": task.due_date, "recurrence_rule": task.recurrence_rule, "completed": task.completed,
            "user_id": task.user_id, "version": task.version}


async def publish(kind: str, task: Task) -> None:
    event_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
    event = {"specversion": "1.0", "id": event_id, "source": "usual", "type": f"todo.task.{kind}.v1", "time": now,
             "data": {"id": event_id, "event_type": kind, "task_id": task.id, "user_id": task.user_id,
                      "timestamp": now, "task_data": shown(task)}}
    answer = await clients["dapr"].post(DAPR, json=event, params={"metadata.partitionKey": task.user_id},
                                        headers={"content-type": "application/cloudevents+json"})
    answer.raise_for_status()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {}


@app.get("/dapr/subscribe")
async def subscribe() -> list[dict[str, str]]:
    return [{"pubsubname": "kafka-pubsub", "topic": "task-events", "route": "/events"}]


@app.post("/tasks")
async def create(new: NewTask, x_user_id: str = Header()) -> dict[str, Any]:
    async with sessions.begin() as session:
        task = Task(user_id=x_user_id, completed=False, version=1, **new.model_dump())
        session.add(task)
    await publish("created", task)
    return shown(task)


@app.post("/tasks/{task_id}/complete")
async def complete(task_id: int, x_user_id: str = Header()) -> dict[str, Any]:
    async with sessions.begin() as session:
        task = await session.scalar(select(Task).where(Task.id == task_id, Task.user_id == x_user_id).with_for_update())
        if task is None:
            raise HTTPException(404)
        task.completed = True
        task.version += 1
    await publish("completed", task)
    return shown(task)


@app.post("/events")
async def on_event(event: dict[str, Any]) -> dict[str, str]:
    data = event["data"]
    task = data["task_data"]
    async with sessions.begin() as session:
        taken = await session.execute(insert(Taken).values(event_id=uuid.UUID(data["id"])).on_conflict_do_nothing())
        recurs = data["event_type"] == "completed" and task["recurrence_rule"]
        successor = await _successor(session, task) if taken.rowcount and recurs else None
    if successor:
        await publish("created", successor)
    return {"status": "SUCCESS"}


async def _successor(session: AsyncSession, task: dict[str, Any]) -> Task:
    step = timedelta(days=1) if task["recurrence_rule"] == "FREQ=DAILY" else timedelta(weeks=1)
    due = datetime.fromisoformat(task["due_date"]) + step
    successor = Task(user_id=task["user_id"], title=task["title"], description=task["description"], tags=task["tags"],
                     due_date=due.isoformat(), recurrence_rule=task["recurrence_rule"], completed=False, version=1)
    session.add(successor)
    await session.flush()
    return successor
