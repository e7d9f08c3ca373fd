"""What users say about answers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api import feedback
from api.deps import Asking, Tuwen

router = APIRouter(prefix="/v1", tags=["feedback"])


@router.post("/feedback", status_code=201)
def give(body: feedback.FeedbackBody, tuwen: Tuwen, asking: Asking) -> dict[str, Any]:
    """Thumbs up or down for an answer or one of its citations, with an optional comment."""
    return feedback.shown(feedback.store(tuwen.service, body, caller=asking))


@router.get("/feedback")
def listed(tuwen: Tuwen, asking: Asking, collection: str | None = None) -> dict[str, Any]:
    """The caller's feedback, oldest first; that of everybody for who may read everything."""
    found = feedback.listed(tuwen.service, collection, caller=asking)
    return {"feedback": [feedback.shown(item) for item in found]}


@router.delete("/feedback/{feedback_id}")
def remove(feedback_id: str, tuwen: Tuwen, asking: Asking) -> dict[str, Any]:
    """Takes it back."""
    feedback.remove(tuwen.service, feedback_id, caller=asking)
    return {"id": feedback_id, "deleted": True}
