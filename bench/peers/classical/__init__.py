"""The classical design: FastAPI and SQLAlchemy in front of PostgreSQL, Celery on Redis for what follows a transfer."""
