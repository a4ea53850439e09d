"""Reading an EHR's FHIR server: GET only, from servers that the site has allowed, within one deadline.

bases        the base of a FHIR server, and which ones may be read
networks     which addresses may be connected to, checked on the socket itself
connections  one pool for the process, with its limits
breaker      a server that does not answer is left alone for a while
client       one GET: status, size, compression and time are all bounded
"""

from cds_service.fhir_client.bases import Allowed, Base, loopback, nothing, only
from cds_service.fhir_client.client import FhirClient, FhirServer
from cds_service.fhir_client.unread import Unread

__all__ = ["Allowed", "Base", "FhirClient", "FhirServer", "Unread", "loopback", "nothing", "only"]
