"""The Structs live in ``cds_service.resources``, below both ``hooks`` and ``gather``; this name stays until all imports moved."""

from cds_service.resources import *  # noqa: F403
