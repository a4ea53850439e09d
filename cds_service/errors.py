"""What can go wrong on the wire: exceptions for the protocol, each with its HTTP status and its cure.

    ServiceError
    ├── BadRequest                400  the request does not say what a hook call must say
    │   ├── NotJson                    not one JSON object in UTF-8
    │   ├── TooDeep                    nested deeper than can be followed
    │   ├── Ambiguous                  the same member twice: which patient is meant?
    │   ├── FieldMissing               a required member is not there
    │   ├── FieldInvalid               a member has the wrong type or form
    │   ├── HookNotServed              this CDS Service does not answer this hook
    │   └── TwoCredentials             more than one Authorization header
    ├── NotAuthenticated          401  no token, or one that is not believed: why is for our log only
    ├── NotAllowed                403  a client that is believed, and whose profile does not allow this
    ├── NotFound                  404  no such resource or CDS Service
    ├── MethodNotAllowed          405  with Allow
    ├── SlowBody                  408  the body did not arrive in time
    ├── PreconditionFailed        412  a baclofen order, and nothing about the patient
    ├── TooLarge                  413  body or draftOrders over the limit
    ├── UnsupportedMedia          415  not application/json, or compressed
    ├── TooManyCalls              429  this client asks more than its profile allows, with Retry-After
    ├── HeadersTooLarge           431
    ├── InternalFault             500  our fault: never answered as "no advice"
    ├── FiguresUnavailable        503  the database cannot be read
    ├── NotReady                  503  records can be kept nowhere, said by /readyz only
    ├── TooBusy                   503  with Retry-After
    └── NotKept                   503  feedback that cannot be stored now, with Retry-After

Each class has its HTTP status, the code of its OperationOutcome issue, and a public sentence with the cure. Sentences
are ours: nothing of the input is ever repeated in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec


class ServiceError(Exception):
    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"
    """OperationOutcome.issue.code, from the FHIR value set issue-type."""
    problem: str = "The service failed."
    cure: str = "Repeat the call; if it fails again, tell the operator of this service."

    def __init__(
        self, problem: str = "", cure: str = "", *, at: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """``at`` is the path of the member, "context.patientId"."""
        self.problem = problem or self.problem
        self.cure = cure or self.cure
        self.at = at
        self.headers = dict(headers or {})
        super().__init__(self.problem)

    def outcome(self) -> bytes:
        """The OperationOutcome, encoded."""
        issue: dict[str, Any] = {
            "severity": "error",
            "code": self.code,
            "details": {"text": self.problem},
            "diagnostics": self.cure,
        }
        if self.at:
            issue["expression"] = [self.at]
        return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})


class BadRequest(ServiceError):
    status = 400
    code = "invalid"
    problem = "The request is not a valid CDS Hooks call."
    cure = "Send a CDS Hooks 2.0 request for order-sign or order-select."


class NotJson(BadRequest):
    code = "structure"
    problem = "The request body is not a JSON object in UTF-8."
    cure = "Send one JSON object in UTF-8, without NaN, Infinity, -0 or numbers outside the range of a double."


class TooDeep(BadRequest):
    code = "too-long"
    problem = "The request body is nested too deeply. The order was not checked."
    cure = "Send FHIR resources as they are; none is nested deeper than some dozens of levels."


class Ambiguous(BadRequest):
    problem = "The request has a JSON object in which the same member occurs twice."
    cure = "Send each member once, so that it is clear which patient and which order are meant."


class FieldMissing(BadRequest):
    code = "required"

    def __init__(self, at: str, cure: str = "") -> None:
        super().__init__(f"The request has no {at}.", cure or f"Send {at} as CDS Hooks 2.0 defines it.", at=at)


class FieldInvalid(BadRequest):
    code = "value"

    def __init__(self, at: str, must_be: str, cure: str = "") -> None:
        super().__init__(f"{at} is not {must_be}.", cure or f"Send {at} as {must_be}.", at=at)


class HookNotServed(BadRequest):
    code = "not-supported"
    problem = "This CDS Service does not answer the hook that the request names."
    cure = "Call it for the hooks that GET /cds-services lists."


class TwoCredentials(BadRequest):
    code = "security"
    problem = "The request has more than one Authorization header."
    cure = "Send one Authorization header."


class NotAuthenticated(ServiceError):
    """Every refusal reads the same to the client."""

    status = 401
    code = "login"
    problem = "The client was not authenticated. Nothing was checked."
    cure = (
        "Send Authorization: Bearer with a new JWT for this address, as CDS Hooks 2.0 defines it, signed by a key that "
        "the operator of this service has on file. Why this one was refused stands in the log of the service, under "
        "the X-Request-Id of this answer."
    )

    def __init__(self, *, reason: str, client: str) -> None:
        """``reason`` and ``client`` (the name of the profile that the token claims, or "") are for the log."""
        super().__init__(headers={"www-authenticate": "Bearer", "connection": "close"})
        self.reason = reason
        self.client = client


class NotAllowed(ServiceError):
    status = 403
    code = "forbidden"
    problem = "The profile of this client does not allow it to read the figures."
    cure = "Ask the operator of this service to set insights = true in the profile, if it is meant to."


class NotFound(ServiceError):
    status = 404
    code = "not-found"
    problem = "There is nothing at this address."
    cure = "GET /cds-services lists the CDS Services of this server; addresses have no trailing slash."


class MethodNotAllowed(ServiceError):
    status = 405
    code = "not-supported"
    problem = "This address does not answer that HTTP method."
    cure = "Use a method of the Allow header: GET for discovery, POST for a hook call."


class SlowBody(ServiceError):
    status = 408
    code = "timeout"
    problem = "The request body did not arrive in time."
    cure = "Send the whole body at once."


class PreconditionFailed(ServiceError):
    status = 412
    code = "required"
    problem = "A baclofen order was drafted, and nothing about the patient could be read. It was not checked."


class TooLarge(ServiceError):
    status = 413
    code = "too-long"


class UnsupportedMedia(ServiceError):
    status = 415
    code = "not-supported"
    problem = "The request body is not plain application/json."
    cure = "Send Content-Type: application/json, in UTF-8, without Content-Encoding."


class HeadersTooLarge(ServiceError):
    status = 431
    code = "too-long"
    problem = "The request has too many or too long headers."
    cure = "Send at most 100 headers, and at most 32 KiB of them."


class TooManyCalls(ServiceError):
    status = 429
    code = "throttled"
    problem = "This client makes too many calls. The order was not checked."
    cure = (
        "Repeat the call with a new token after the seconds of the Retry-After header, or ask the operator of this "
        "service for more."
    )

    def __init__(self, *, seconds: int) -> None:
        super().__init__(headers={"retry-after": str(seconds), "connection": "close"})


class InternalFault(ServiceError):
    problem = "The service failed while it checked this order. The order was not checked."


class ClientHungUpError(Exception):
    """Nobody waits for the answer any more."""

    status = 499
    """In log, metrics and records."""


class FiguresUnavailable(ServiceError):
    status = 503
    code = "transient"
    problem = "The database cannot be read now. Orders are checked all the same."
    cure = "Try again later; if it lasts, tell the operator of this service."


class NotReady(ServiceError):
    status = 503
    code = "transient"
    problem = "What is advised can be written down nowhere: the database takes nothing, and the spool is full or fails."
    cure = (
        "Make the database take records again, or make room in state_dir. Calls that arrive are answered all the same."
    )


class TooBusy(ServiceError):
    status = 503
    code = "throttled"
    problem = "The service has too many calls at once. The order was not checked."
    cure = "Repeat the call with a new token after the seconds of the Retry-After header."


class NotKept(ServiceError):
    status = 503
    code = "transient"
    problem = "The feedback cannot be stored now."
    cure = "Repeat the call after the seconds of the Retry-After header."


def status_of(error: BaseException) -> int:
    """With which the call ends that raised ``error``."""
    match error:
        case ServiceError() | ClientHungUpError():
            return error.status
        case RecursionError():
            return TooDeep.status
        case _:
            return InternalFault.status
