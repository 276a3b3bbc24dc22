"""A request and all its tries, until there is an answer to live with."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hfts_client.answers import error_of, is_refusal
from hfts_client.effects import Answer, Open, Operation, Request, Send, Sleep
from hfts_client.errors import ApiError, AuthenticationError, ConnectionFailedError
from hfts_client.retries import Attempts, RetryPolicy

if TYPE_CHECKING:
    from hfts_client.credentials import Credentials

_log = logging.getLogger("hfts_client")


def call(
    policy: RetryPolicy,
    credentials: Credentials,
    request: Request,
    *,
    attempts: Attempts | None = None,
    opens_stream: bool = False,
) -> Operation[Answer]:
    """The answer. Raises ApiError and ConnectionFailedError where sending again does not help, or not in time.

    ``attempts`` are those made before; a stream of events is left open.
    """
    attempts = attempts or Attempts(policy)
    has_renewed = False
    while True:
        failure: ApiError | ConnectionFailedError
        header = yield from credentials.header()
        sent = replace(request, headers={**request.headers, **header})
        try:
            answer: Answer = yield Open(sent) if opens_stream else Send(sent)
        except ConnectionFailedError as error:
            failure = error
        else:
            if not is_refusal(answer):
                return answer
            failure = error_of(answer)
            if isinstance(failure, AuthenticationError) and not has_renewed and credentials.refused(header):
                has_renewed = True
                continue
        delay_s = attempts.delay_s(failure, is_repeatable=request.is_repeatable)
        if delay_s is None:
            raise failure
        path = request.target.partition("?")[0]
        _log.info("%s %s: %s; again in %.2f s", request.method, path, failure, delay_s)
        yield Sleep(delay_s)
