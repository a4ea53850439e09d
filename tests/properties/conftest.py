"""Properties are searched the same way every time; PROPERTY_SEARCH=20 searches twenty times as long, another way."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.properties.search import LONGER

settings.register_profile(
    "gate",
    deadline=None,
    derandomize=LONGER == 1,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("gate")
