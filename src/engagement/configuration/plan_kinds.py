"""The kinds of coding plans."""

import enum


class PlanKind(enum.StrEnum):
    """List of the coding plans file that a plan stands in."""

    RQA = "RQACodingPlans"
    DEMOGRAPHIC = "DemographicCodingPlans"
    FOLLOW_UP = "FollowUpCodingPlans"
