"""The Structs are in ``cds_service.resources``, below ``hooks`` and ``gather``; this name goes with its last import."""

from cds_service.resources import *  # noqa: F403
