"""What users say about answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api import feedback
from api.deps import Reader, Tuwen

router = APIRouter(prefix="/v1", tags=["feedback"])


@router.post("/feedback", status_code=201)
def give(body: feedback.FeedbackBody, tuwen: Tuwen, reader: Reader) -> dict[str, Any]:
    """Thumbs up or down for an answer or one of its citations, with an optional comment."""
    return feedback.shown(feedback.store(tuwen.service, body, access=reader))


@router.get("/feedback")
def listed(tuwen: Tuwen, collection: str | None = None) -> dict[str, Any]:
    """All feedback, oldest first."""
    return {"feedback": [feedback.shown(item) for item in feedback.listed(tuwen.service, collection)]}


@router.delete("/feedback/{feedback_id}")
def remove(feedback_id: str, tuwen: Tuwen) -> dict[str, Any]:
    """Takes it back."""
    feedback.remove(tuwen.service, feedback_id)
    return {"id": feedback_id, "deleted": True}
