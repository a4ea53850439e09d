"""Why something could not be read from a FHIR server: a closed set, counted and said."""

from __future__ import annotations

from enum import Enum


class Unread(Enum):
    """The value is one clause for the prescriber, who need not know what a FHIR server is."""

    LATE = "the EHR did not answer in time"
    RESTING = "the EHR has not been answering"
    UNREACHABLE = "the EHR could not be reached"
    DENIED = "the EHR did not allow it"
    NOT_FOUND = "the EHR does not have it"
    BUSY = "the EHR was too busy"
    FAILED = "the EHR answered with an error"
    TOO_LARGE = "the EHR sent more than can be read"
    GARBLED = "the EHR sent something that cannot be read"

    @classmethod
    def of(cls, status: int) -> Unread:
        """Of every HTTP status but 200; redirects are not followed."""
        match status:
            case 401 | 403:
                return cls.DENIED
            case 404 | 410:
                return cls.NOT_FOUND
            case 429 | 503:
                return cls.BUSY
            case _:
                return cls.FAILED
