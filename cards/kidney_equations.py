"""Equations that estimate kidney function. Each takes the unrounded creatinine and gives an unrounded number.

Only the final eGFR is rounded, half up (``cards.quantities.half_up``). Creatinine must be above zero: the caller has
checked that it is plausible. ``female`` is the sex that the equation is to use; an unknown sex is the caller's matter.
"""

from __future__ import annotations

from math import pow as power

from cards.quantities import Age, CystatinC, Height, SerumCreatinine, Weight


def ckd_epi_2021_creatinine(creatinine: SerumCreatinine, age: Age, *, female: bool) -> float:
    """CKD-EPI 2021 from creatinine, mL/min/1.73 m², for ages 18 and over.

    142 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^-1.200 × 0.9938^age (× 1.012 if female); κ = 0.7 (female) or 0.9 (male),
    α = -0.241 or -0.302. Source: E-FORM-01 (Inker LA et al., N Engl J Med 2021;385:1737-1749).
    """
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    return (
        142
        * _piecewise(float(creatinine.value) / kappa, below=alpha, above=-1.200)
        * power(0.9938, float(age.value))
        * (1.012 if female else 1)
    )


def ckd_epi_2021_creatinine_cystatin(
    creatinine: SerumCreatinine, cystatin: CystatinC, age: Age, *, female: bool
) -> float:
    """CKD-EPI 2021 from creatinine and cystatin C, mL/min/1.73 m², for ages 18 and over.

    135 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^-0.544 × min(Scys/0.8, 1)^-0.323 × max(Scys/0.8, 1)^-0.778 × 0.9961^age
    (× 0.963 if female); κ = 0.7 (female) or 0.9 (male), α = -0.219 or -0.144. Source: E-FORM-02.
    """
    kappa, alpha = (0.7, -0.219) if female else (0.9, -0.144)
    return (
        135
        * _piecewise(float(creatinine.value) / kappa, below=alpha, above=-0.544)
        * _piecewise(float(cystatin.value) / 0.8, below=-0.323, above=-0.778)
        * power(0.9961, float(age.value))
        * (0.963 if female else 1)
    )


def bedside_schwartz(creatinine: SerumCreatinine, height: Height) -> float:
    """Bedside Schwartz, mL/min/1.73 m², for ages under 18: 0.413 × height / Scr. Source: E-FORM-04."""
    return 0.413 * float(height.value) / float(creatinine.value)


def cockcroft_gault(creatinine: SerumCreatinine, age: Age, weight: Weight, *, female: bool) -> float:
    """Creatinine clearance, mL/min, not indexed to body surface: never compared with an eGFR tier.

    (140 - age) × weight (× 0.85 if female) / (72 × Scr). Source: E-FORM-03.
    """
    clearance = (140 - float(age.value)) * float(weight.value) / (72 * float(creatinine.value))
    return clearance * (0.85 if female else 1)


def _piecewise(ratio: float, *, below: float, above: float) -> float:
    """min(ratio, 1)^below × max(ratio, 1)^above."""
    return power(min(ratio, 1), below) * power(max(ratio, 1), above)
