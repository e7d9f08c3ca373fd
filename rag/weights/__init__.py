"""Weights by content: which files a model has, where they come from, and whether what is here is what was named."""

from rag.weights.manifest import File, Manifest, Model
from rag.weights.pull import ModelStatus, Progress, locate, models_status, pull, verify

__all__ = ["File", "Manifest", "Model", "ModelStatus", "Progress", "locate", "models_status", "pull", "verify"]
