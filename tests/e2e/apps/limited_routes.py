"""The FastAPI page's application, behind the middleware with a limit for clients that read no more."""

from fastapi_app import app as routes

from unbroken.middleware import ASGIMiddleware

app = ASGIMiddleware(routes, heartbeat=1.0, send_timeout=2.0)
