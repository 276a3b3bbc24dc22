"""Where a request comes from."""

from starlette.requests import Request


def client_address(request: Request) -> str:
    """The client's IP address, or "" where there is none.

    Behind a proxy it is the one that the proxy tells, if uvicorn trusts the proxy (FORWARDED_ALLOW_IPS); else the
    proxy's own.
    """
    return request.client.host if request.client else ""
