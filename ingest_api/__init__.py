"""The FastAPI app: one route module a resource."""
