"""The ways in which EHRs write the same order and chart; each module says only what differs from R4 in the US."""

from __future__ import annotations

from tests.vignettes.fhir import Style
from tests.vignettes.styles.epic import Epic
from tests.vignettes.styles.metric import Metric
from tests.vignettes.styles.older import Older
from tests.vignettes.styles.sigs import Sigs

STYLES: tuple[Style, ...] = (Style(), Metric(), Epic(), Older(), Sigs())
